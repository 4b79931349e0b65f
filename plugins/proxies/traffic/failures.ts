import { apiError, isApiError } from '../../../src/http/errors.ts';
import { RelayFailure } from '../../tunnels/api.ts';

import type { ApiError, ErrorCode } from '../../../src/http/errors.ts';
import type { RelayFault } from '../../tunnels/api.ts';

const RETRY_AFTER_S = 2;
const MAX_PAUSE_MS = 10_000;

/** The service has not seen the request. */
const UNDELIVERED = new Set<RelayFault>(['offline', 'moved', 'busy', 'refused']);

/** How one try to reach a member failed. */
export interface Failure {
    /** For the figures, and for users. */
    kind: string;
    /** Another member may do better. */
    isMembers: boolean;
    /** There is nothing behind the member. */
    isOffline: boolean;
    /** The request may be sent again, whatever it asks for. */
    isUndelivered: boolean;
}

/** Errors of a tunnel, by what a proxy makes of them. */
const OF_MEMBERS = new Map<ErrorCode, string>([
    ['TUNNEL_NOT_FOUND', 'not_found'],
    ['FORBIDDEN', 'not_found'],
    ['TUNNEL_OFFLINE', 'offline'],
    ['TUNNEL_BUSY', 'busy'],
    ['TUNNEL_TIMEOUT', 'timeout'],
    ['TUNNEL_ERROR', 'internal'],
]);
const OF_PROXIES = new Map<ErrorCode, string>([
    ['PROXY_BUSY', 'busy'],
    ['PROXY_OFFLINE', 'offline'],
    ['QUOTA_EXCEEDED', 'quota'],
    ['SHUTTING_DOWN', 'draining'],
]);

/** What an error of `TunnelService.relay` says of the member. */
export function failureOf(error: unknown): Failure {
    const kind = kindOf(error);
    const isMembers = isApiError(error) && OF_MEMBERS.has(codeOf(error)) && kind !== 'too_large';
    const isGone = kind === 'not_found';
    const fault = isApiError(error) && error.cause instanceof RelayFailure ? error.cause.fault : null;
    const isUndelivered = isGone || (fault !== null && UNDELIVERED.has(fault));
    return { kind, isMembers, isOffline: isGone || kind === 'offline', isUndelivered };
}

/** What a call that ended with that error is counted as. */
export function kindOf(error: unknown): string {
    if (error instanceof RelayFailure) return error.fault;
    if (!isApiError(error)) return 'internal';
    const { reason } = error.data?.details ?? {};
    if (typeof reason === 'string') return reason;
    const code = codeOf(error);
    return OF_MEMBERS.get(code) ?? OF_PROXIES.get(code) ?? 'internal';
}

/** @param reasons Why no member takes requests, by the id of its tunnel */
export const offline = (reasons: Map<string, string>): ApiError =>
    apiError('PROXY_OFFLINE', {
        details: { members: [...reasons].map(([tunnelId, reason]) => ({ tunnelId, reason })) },
        retryAfter: RETRY_AFTER_S,
    });

/**
 * Milliseconds until all members are tried once more, with full jitter.
 *
 * @param round From 0 on
 * @param random Gives numbers in [0, 1)
 */
export const pauseOf = (backoff: number, round: number, random: () => number): number =>
    random() * Math.min(MAX_PAUSE_MS, backoff * 2 ** round);

const codeOf = (error: ApiError): ErrorCode => error.data?.code ?? 'INTERNAL_ERROR';
