import { kindOf } from './failures.ts';
import { watchBody } from '../../../src/relay/watch-body.ts';

import type { RelayAnswer } from '../../../src/relay/types.ts';

/** A try to reach a member that has ended. */
export interface EndedTry {
    tunnelId: string;
    /** `success`, or why there is no answer, or not the whole. */
    outcome: string;
    /** To the beginning of the answer, or to the end of the try. */
    latencyMs: number;
    bytesIn: number;
    bytesOut: number;
}

/** A request through a proxy that has ended. */
export interface EndedCall {
    outcome: string;
    /** To the beginning of the answer, with waiting and all tries. */
    latencyMs: number;
    /** It was in line. */
    hasWaited: boolean;
    tries: EndedTry[];
}

/** A try that goes on: who sends and reads counts its bytes. */
export type RunningTry = Omit<EndedTry, 'outcome' | 'latencyMs'> & { readonly startedAt: number };

const EMPTY_STATUSES = new Set([204, 304]);

/** One request through a proxy, and what is counted of it. */
export class ProxyCall {
    hasWaited = false;
    readonly #startedAt = Date.now();
    readonly #tries: EndedTry[] = [];
    readonly #gone: AbortSignal;
    readonly #onEnd: (ended: EndedCall) => void;
    #isOver = false;

    constructor(gone: AbortSignal, onEnd: (ended: EndedCall) => void) {
        this.#gone = gone;
        this.#onEnd = onEnd;
    }

    begin(tunnelId: string): RunningTry {
        return { tunnelId, startedAt: Date.now(), bytesIn: 0, bytesOut: 0 };
    }

    /** A try got no answer; there may be others. */
    failed(tried: RunningTry, kind: string): void {
        this.#tries.push(ended(tried, this.#gone.aborted ? 'cancelled' : kind, Date.now() - tried.startedAt));
    }

    /** An answer has begun. It ends with its body, or when nobody reads it any more. */
    answered(tried: RunningTry, method: string, answer: RelayAnswer, onBroken: (kind: string) => void): RelayAnswer {
        const now = Date.now();
        const [latencyMs, sinceStart] = [now - tried.startedAt, now - this.#startedAt];
        const hasBody = method !== 'HEAD' && !EMPTY_STATUSES.has(answer.status);
        const end = (error: unknown) => {
            if (this.#isOver) return;
            const outcome = this.#outcomeOf(error, hasBody);
            this.#tries.push(ended(tried, outcome, latencyMs));
            if (outcome !== 'success' && outcome !== 'cancelled') onBroken(outcome);
            this.#end(outcome, sinceStart);
        };
        const body = watchBody(answer.body, {
            onChunk: ({ length }) => {
                tried.bytesOut += length;
            },
            onEnd: end,
        });
        // Nobody may be reading any more.
        this.#gone.addEventListener('abort', () => end(null), { once: true });
        if (this.#gone.aborted) end(null);
        return { ...answer, body };
    }

    /** There is no answer. */
    fail(error: unknown): void {
        this.#end(this.#gone.aborted ? 'cancelled' : kindOf(error), Date.now() - this.#startedAt);
    }

    #outcomeOf(error: unknown, hasBody: boolean): string {
        if (error === undefined || (error === null && !hasBody)) return 'success';
        return error === null || this.#gone.aborted ? 'cancelled' : kindOf(error);
    }

    #end(outcome: string, latencyMs: number): void {
        if (this.#isOver) return;
        this.#isOver = true;
        this.#onEnd({ outcome, latencyMs, hasWaited: this.hasWaited, tries: this.#tries });
    }
}

const ended = ({ tunnelId, bytesIn, bytesOut }: RunningTry, outcome: string, latencyMs: number): EndedTry => ({
    tunnelId,
    outcome,
    latencyMs,
    bytesIn,
    bytesOut,
});
