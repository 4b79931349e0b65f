import { createHash } from 'node:crypto';

import { apiError } from './errors.ts';
import { newId } from '../ids.ts';
import { tenantKey } from '../redis/keys.ts';

import type { KeyClaim } from '../redis/idempotency-keys.ts';
import type { Actor } from '../types/actor.ts';

export const MAX_KEY_LENGTH = 128;
const PRINTABLE = new RegExp(`^[\\x20-\\x7e]{1,${MAX_KEY_LENGTH}}$`);

/** What of a request decides whether it repeats another. */
export interface RepeatableRequest {
    app: { isReplayed?: boolean };
    auth: { credentials: { actor: Actor } };
    headers: Record<string, unknown>;
    route: { method: string; path: string };
    params: object;
    query: object;
    payload: unknown;
}

/**
 * The claim that a request with an Idempotency-Key makes: on the key for this tenant, principal (a user, or a service
 * API key of one), route and path, with what it asks. Undefined without the header.
 *
 * @param holder Who makes it; unique
 * @throws VALIDATION_ERROR
 */
export function claimOf(request: RepeatableRequest, holder = newId('run')): KeyClaim | undefined {
    const { auth, headers, route, params, query, payload } = request;
    const given = headers['idempotency-key'];
    if (given === undefined) return undefined;
    if (typeof given !== 'string' || !PRINTABLE.test(given)) {
        const fault = `must be 1 to ${MAX_KEY_LENGTH} printable ASCII characters`;
        throw apiError('VALIDATION_ERROR', { details: { fields: { 'idempotency-key': fault } } });
    }
    const { tenantId, userId, keyId = userId } = auth.credentials.actor;
    // The client's own key is nowhere to be read: it may be anything.
    const place = digest([route.method, route.path, params, given]);
    return {
        key: tenantKey(tenantId, 'idempotency', keyId, place),
        // With the client's key as salt: the body may hold a password, which its digest must not help to guess.
        body: digest([given, query, payload]),
        holder,
    };
}

/**
 * Names what a request with an Idempotency-Key does, for as long as anybody remembers it: for work that must not be
 * done again even when the stored answer is lost.
 */
export function operationOf({ auth, headers, route }: RepeatableRequest): string {
    const { userId, keyId = userId } = auth.credentials.actor;
    return `${keyId}-${digest([route.method, route.path, headers['idempotency-key']])}`;
}

/** @throws VALIDATION_ERROR */
export function requireKey({ headers }: Pick<RepeatableRequest, 'headers'>): void {
    if (headers['idempotency-key'] !== undefined) return;
    const fault = 'is required: a key of your own, a new one for each request';
    throw apiError('VALIDATION_ERROR', { details: { fields: { 'idempotency-key': fault } } });
}

const digest = (value: unknown): string => createHash('sha256').update(canonicalJson(value)).digest('base64url');

/** JSON in which the order of the fields makes no difference. */
export const canonicalJson = (value: unknown): string =>
    JSON.stringify(value, (_name, part: unknown) =>
        typeof part === 'object' && part !== null && !Array.isArray(part)
            ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
            : part,
    );
