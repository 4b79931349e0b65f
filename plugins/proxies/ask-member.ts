import { isApiError, type ErrorCode } from '../../src/http/errors.ts';
import { isStoreUnavailable } from '../../src/redis/client.ts';

import type { Headers, RelayAnswer } from '../../src/relay/types.ts';
import type { TunnelService, TunnelUser } from '../tunnels/api.ts';

const HEADERS: Headers = [
    ['accept', '*/*'],
    ['user-agent', 'llm-api-layer health check'],
];
/** Of an answer's body so much is read, so that one that is short comes to its end. */
const READ_BYTES = 16_384;

const REASONS: Partial<Record<ErrorCode, string>> = {
    TUNNEL_NOT_FOUND: 'not_found',
    FORBIDDEN: 'not_found',
    TUNNEL_OFFLINE: 'offline',
    TUNNEL_BUSY: 'busy',
    TUNNEL_TIMEOUT: 'timeout',
    QUOTA_EXCEEDED: 'quota',
    INSUFFICIENT_CREDITS: 'credits',
    SPEND_LIMIT_REACHED: 'credits',
};

/** How a member's service answered a GET. */
export interface MemberAnswer {
    /** Null: there was none. */
    status: number | null;
    latencyMs: number | null;
    /** Null: all is well. */
    error: string | null;
}

/** Asks the service behind a tunnel; any answer below 500 is a good one. Fails only while Redis is away. */
export async function askMember(
    relay: TunnelService['relay'],
    user: TunnelUser,
    tunnelId: string,
    { path, timeoutMs, signal }: { path: string; timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<MemberAnswer> {
    const controller = new AbortController();
    const giveUp = () => controller.abort();
    const timer = setTimeout(giveUp, timeoutMs);
    signal?.addEventListener('abort', giveUp);
    if (signal?.aborted) giveUp();
    const began = performance.now();
    const head = { method: 'GET', path, headers: HEADERS };
    try {
        const answer = await relay(user, tunnelId, { head, body: null, gone: controller.signal });
        const latencyMs = Math.round(performance.now() - began);
        await readSome(answer);
        const { status } = answer;
        return { status, latencyMs, error: status < 500 ? null : `status_${status}` };
    } catch (error) {
        if (isStoreUnavailable(error)) throw error;
        const reason = controller.signal.aborted ? 'timeout' : reasonOf(error);
        return { status: null, latencyMs: null, error: reason };
    } finally {
        clearTimeout(timer);
        signal?.removeEventListener('abort', giveUp);
        giveUp();
    }
}

/** The service has answered, whatever becomes of the rest. */
async function readSome({ body }: RelayAnswer): Promise<void> {
    let bytes = 0;
    try {
        for await (const chunk of body) {
            bytes += chunk.length;
            if (bytes >= READ_BYTES) return;
        }
    } catch {
        // It broke off in the middle.
    }
}

function reasonOf(error: unknown): string {
    if (!isApiError(error) || !error.data) return 'internal';
    const { code, details: { reason } = {} } = error.data;
    return REASONS[code] ?? (typeof reason === 'string' ? reason : 'internal');
}
