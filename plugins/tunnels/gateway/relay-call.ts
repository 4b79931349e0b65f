import { RelayFailure, type RelayFault } from './way.ts';
import { apiError, type ApiError } from '../../../src/http/errors.ts';
import { watchBody } from '../../../src/relay/watch-body.ts';
import { WholeBody } from '../../../src/relay/whole-body.ts';

import type { RelayAnswer } from '../../../src/relay/types.ts';
import type { EndedRelay } from '../api.ts';

/** An answer that has begun may pause for that long, or for the tunnel's own timeout if that is longer. */
const IDLE_MS = 300_000;
const RETRY_AFTER_S = 2;
/** What a call relays before it is counted and looked at again. */
const TOLD_BYTES = 1_048_576;

/** What is done with what a call has relayed. */
export interface CallWatch {
    /** Each time that so many have come together: the bytes since the last time. */
    onBytes: (bytes: Pick<EndedRelay, 'bytesIn' | 'bytesOut'>) => void;
    /** Once; with the bytes that are left. */
    onEnd: (ended: EndedRelay) => void;
}

/** One request through a tunnel: its deadlines, why it was given up, and what is counted of it. */
export class RelayCall {
    readonly #given = new AbortController();
    readonly #startedAt = Date.now();
    readonly #timeoutMs: number;
    readonly #watch: CallWatch;
    #timer: NodeJS.Timeout | undefined;
    #why: RelayFault | undefined;
    #refusal: ApiError | undefined;
    #firstByteMs = 0;
    #bytesIn = 0;
    #bytesOut = 0;
    #hasBegun = false;
    #isOver = false;

    constructor(client: AbortSignal, timeoutMs: number, watch: CallWatch) {
        this.#timeoutMs = timeoutMs;
        this.#watch = watch;
        client.addEventListener('abort', () => this.giveUp('cancelled'), { once: true });
        if (client.aborted) this.giveUp('cancelled');
        this.#wait(timeoutMs);
    }

    /** Aborted when it is given up, for whatever reason. */
    get gone(): AbortSignal {
        return this.#given.signal;
    }

    /** @param refusal What the client is told, if there is no answer yet */
    giveUp(why: RelayFault, refusal?: ApiError): void {
        if (this.#isOver) return;
        this.#why ??= why;
        this.#refusal ??= refusal;
        this.#given.abort();
        // Nobody may be reading any more.
        if (this.#hasBegun) this.#end(this.#why);
    }

    /** While the request is still being sent its answer is not late. */
    upload(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
        return watchBody(body, {
            onChunk: (chunk) => {
                this.#bytesIn += chunk.length;
                this.#tell();
                this.#timer?.refresh();
            },
        });
    }

    /** From here on only pauses are limited, and only those that are not the reader's. */
    begin(answer: RelayAnswer): RelayAnswer {
        clearTimeout(this.#timer);
        this.#hasBegun = true;
        this.#firstByteMs = Date.now() - this.#startedAt;
        if (answer.body instanceof WholeBody) {
            this.#bytesOut += answer.body.bytes.length;
            this.#tell();
            this.#end('success');
            return answer;
        }
        const body = watchBody(answer.body, {
            onWait: () => this.#wait(Math.max(this.#timeoutMs, IDLE_MS)),
            onChunk: (chunk) => {
                clearTimeout(this.#timer);
                this.#bytesOut += chunk.length;
                this.#tell();
            },
            onEnd: (error) =>
                this.#end(error === undefined ? 'success' : error === null ? 'cancelled' : this.#of(error)),
        });
        return { ...answer, body };
    }

    /** The error that a client is told when there is no answer. */
    fail(error: unknown): unknown {
        const fault = this.#of(error);
        this.#end(fault);
        if (this.#refusal) return this.#refusal;
        return error instanceof RelayFailure || this.#why !== undefined ? toError(fault, error) : error;
    }

    #of(error: unknown): RelayFault {
        return this.#why ?? (error instanceof RelayFailure ? error.fault : 'internal');
    }

    /** A long answer is counted, and may be cut, while it runs. */
    #tell(): void {
        if (this.#isOver || this.#bytesIn + this.#bytesOut < TOLD_BYTES) return;
        const bytes = { bytesIn: this.#bytesIn, bytesOut: this.#bytesOut };
        [this.#bytesIn, this.#bytesOut] = [0, 0];
        this.#watch.onBytes(bytes);
    }

    #wait(milliseconds: number): void {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.giveUp('timeout'), milliseconds);
    }

    #end(fault: 'success' | RelayFault): void {
        clearTimeout(this.#timer);
        if (this.#isOver) return;
        this.#isOver = true;
        // A reader that left has to be told to the target, which may be silent just now.
        if (fault !== 'success') this.#given.abort();
        this.#watch.onEnd({
            outcome: OUTCOMES[fault],
            latencyMs: this.#firstByteMs || Date.now() - this.#startedAt,
            bytesIn: this.#bytesIn,
            bytesOut: this.#bytesOut,
        });
    }
}

const OUTCOMES: Record<'success' | RelayFault, EndedRelay['outcome']> = {
    success: 'success',
    cancelled: 'cancelled',
    refused: 'refused',
    busy: 'refused',
    unreachable: 'unreachable',
    lost: 'unreachable',
    timeout: 'timeout',
    protocol: 'protocol',
    too_large: 'too_large',
    internal: 'internal',
    offline: 'offline',
    moved: 'offline',
};

function toError(fault: RelayFault, cause: unknown): ApiError {
    // An agent refuses what comes while it stops.
    if (fault === 'offline' || fault === 'moved' || fault === 'refused') {
        return apiError('TUNNEL_OFFLINE', { retryAfter: RETRY_AFTER_S, cause });
    }
    if (fault === 'busy') return apiError('TUNNEL_BUSY', { retryAfter: RETRY_AFTER_S, cause });
    if (fault === 'timeout') return apiError('TUNNEL_TIMEOUT', { cause });
    return apiError('TUNNEL_ERROR', { details: { reason: fault }, cause });
}
