import { deadline, type Timeouts } from './deadline.ts';
import { formatBody } from './format.ts';
import { resolveSafely, type Resolver } from './resolve.ts';
import { safeClient } from './safe-connector.ts';
import { hostOf, parseSafeUrl } from './safe-url.ts';
import { SendFailure } from './send-failure.ts';
import { signedHeaders } from './sign.ts';
import { isApiError } from '../../../src/http/errors.ts';

import type { Dispatcher } from 'undici';
import type { Attempt, AttemptFailure, Destination } from './types.ts';
import type { Clock } from '../../../src/clock.ts';
import type { TenantEvent } from '../../events/api.ts';

const MAX_READ = 65_536;
const MAX_KEPT = 1_024;
const GONE = 410;
/** The code of errors that are mistakes of ours. */
const OURS = 'UND_ERR_INVALID_ARG';

/** What a sender works with. */
export interface SendOptions {
    allowPrivate: boolean;
    clock: Clock;
    resolver: Resolver;
    timeouts: Timeouts;
    /** Certificate authorities in place of the system's. */
    ca?: string | undefined;
}

interface Post {
    destination: Destination;
    event: TenantEvent;
    signal: AbortSignal;
}

type Answer = Pick<Attempt, 'responseBody'> & { status: number };

/**
 * Makes one attempt. The status decides; how the body of the answer goes on and ends does not matter.
 *
 * @throws What the signal was aborted with; never for what the other side does
 */
export async function attempt(
    options: SendOptions,
    destination: Destination,
    event: TenantEvent,
    signal?: AbortSignal,
): Promise<Attempt> {
    signal?.throwIfAborted();
    const begun = performance.now();
    const limit = deadline(options.timeouts.totalMs, signal);
    const took = (): number => Math.round(performance.now() - begun);
    try {
        const answer = await post(options, { destination, event, signal: limit.signal });
        signal?.throwIfAborted();
        return { ...verdict(answer.status), ...answer, durationMs: took() };
    } catch (error) {
        signal?.throwIfAborted();
        return { outcome: 'failed', status: null, durationMs: took(), failure: failureOf(error), responseBody: '' };
    } finally {
        limit.release();
    }
}

async function post(options: SendOptions, { destination, event, signal }: Post): Promise<Answer> {
    const { allowPrivate, resolver, timeouts, ca } = options;
    const body = formatBody(destination, event);
    const url = parseSafeUrl(destination.url, allowPrivate);
    const resolution = { resolver, allowPrivate, timeoutMs: timeouts.resolveMs };
    const addresses = await resolveSafely(hostOf(url), resolution, signal);
    const client = safeClient({ url, addresses, timeouts, signal, ca });
    try {
        const answer = await client.request({
            method: 'POST',
            path: url.pathname + url.search,
            headers: {
                'content-type': 'application/json',
                'user-agent': 'llm-api-layer webhooks',
                'accept-encoding': 'identity',
                ...(event.requestId !== undefined && { 'x-request-id': event.requestId }),
                ...signedHeaders({ id: event.id, body, time: new Date(options.clock()) }, destination.secrets),
            },
            body,
            signal,
        });
        return { status: answer.statusCode, responseBody: await readStart(answer.body) };
    } finally {
        await client.destroy();
    }
}

/** Reads up to 64 KiB, so that a receiver can end its answer, and keeps the first KiB. */
async function readStart(body: Dispatcher.ResponseData['body']): Promise<string> {
    body.on('error', () => undefined);
    const kept: Buffer[] = [];
    let read = 0;
    try {
        for await (const chunk of body as AsyncIterable<Buffer>) {
            if (read < MAX_KEPT) kept.push(chunk.subarray(0, MAX_KEPT - read));
            read += chunk.length;
            if (read >= MAX_READ) break;
        }
    } catch {
        // Cut off, by them or by a time limit: the status was there, and this is what came of the rest.
    }
    return new TextDecoder().decode(Buffer.concat(kept), { stream: true });
}

function verdict(status: number): Pick<Attempt, 'outcome' | 'failure'> {
    if (status >= 200 && status < 300) return { outcome: 'delivered', failure: null };
    if (status >= 300 && status < 400) return { outcome: 'failed', failure: 'redirect' };
    return { outcome: status === GONE ? 'gone' : 'failed', failure: 'status' };
}

/** @throws The error itself when it is not one that the other side or the network can cause */
function failureOf(error: unknown): AttemptFailure {
    if (error instanceof SendFailure) return error.failure;
    if (isApiError(error, 'WEBHOOK_URL_REFUSED')) return 'address_refused';
    const code = error instanceof Error && 'code' in error ? String(error.code) : OURS;
    if (code === OURS) throw error;
    if (code.endsWith('_TIMEOUT')) return 'timeout';
    return /^ERR_(SSL|TLS)_/.test(code) ? 'tls' : 'connection';
}
