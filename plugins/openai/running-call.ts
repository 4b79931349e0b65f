import { Answer } from './completion.ts';
import { PartQueue } from './part-queue.ts';
import { followAbort } from '../../src/follow-abort.ts';
import { apiError, isApiError, type ApiError } from '../../src/http/errors.ts';
import { OutputMeter } from '../models/api.ts';

import type { Clock } from '../../src/clock.ts';
import type { Tracing } from '../../src/telemetry/tracing.ts';
import type { Bill } from '../billing/api.ts';
import type { ModelCall, ModelService, StreamPart, Usage } from '../models/api.ts';

/** How a call ended: `cancelled` when its client went away, `interrupted` when the process had to stop. */
export type CallOutcome = 'complete' | 'failed' | 'cancelled' | 'interrupted';

/** What is to be known of a call that has ended, whichever way. */
export interface CallEnd {
    call: ModelCall;
    outcome: CallOutcome;
    /** Of what came, estimated where the provider told none; null when it refused the call, or was not called. */
    usage: Usage | null;
    /** What it failed with. */
    error: ApiError | null;
    durationMs: number;
    /** Null when nothing came. */
    timeToFirstTokenMs: number | null;
}

export interface RunningCallParts {
    models: ModelService;
    /** Prepared. */
    call: ModelCall;
    /** Null: it costs nothing. */
    bill: Bill | null;
    /** Whether somebody reads `batches`. */
    isStreamed: boolean;
    /** Aborted when the client goes away. */
    gone: AbortSignal;
    clock: Clock;
    tracing: Tracing;
    /** Told once, when all is over; nobody is told of the end before it is done. */
    onEnd: (end: CallEnd) => Promise<void>;
}

/** A call of a model on its way. It ends with its provider, with its client, or with the process. */
export class RunningCall {
    /** Resolved when the model begins to answer; rejected when it refused before. */
    readonly started: Promise<void>;
    /** The whole answer; rejected when the call failed. */
    readonly finished: Promise<Answer>;

    readonly #parts: RunningCallParts;
    readonly #stop = new AbortController();
    readonly #answer = new Answer();
    readonly #produced = new OutputMeter();
    readonly #queue: PartQueue | null;
    readonly #startedAt: number;
    #isCalled = false;
    #begunAt: number | null = null;
    #begin: () => void = () => undefined;

    constructor(parts: RunningCallParts) {
        this.#parts = parts;
        this.#queue = parts.isStreamed ? new PartQueue() : null;
        this.#startedAt = parts.clock();
        const begun = new Promise<void>((resolve) => (this.#begin = resolve));
        const { requestId, user, model } = parts.call;
        const attributes = { 'tenant.id': user.tenantId, 'request.id': requestId, 'gen_ai.request.model': model.id };
        this.finished = parts.tracing.inSpan('generation', { attributes }, () => this.#run());
        this.started = Promise.race([begun, this.finished.then(() => undefined)]);
        // Whoever waits is told; a call that nobody waits for any more must not bring the process down.
        this.started.catch(() => undefined);
        this.finished.catch(() => undefined);
    }

    /** What is there, as soon as it is there; fails as the call does. */
    batches(): AsyncIterable<StreamPart[]> {
        if (!this.#queue) throw new Error('The call is not streamed');
        const { bill } = this.#parts;
        return bill ? noted(this.#queue.batches(), bill) : this.#queue.batches();
    }

    /** Ends it now, because the process stops. */
    interrupt(): void {
        this.#stop.abort(apiError('SHUTTING_DOWN'));
    }

    async #run(): Promise<Answer> {
        try {
            await this.#relay();
        } catch (failure) {
            const error = isApiError(failure) ? failure : apiError('INTERNAL_ERROR', { cause: failure });
            await this.#end(this.#outcomeOf(error), error);
            this.#queue?.end(error);
            throw error;
        }
        await this.#end('complete', null);
        this.#queue?.end();
        return this.#answer;
    }

    async #relay(): Promise<void> {
        const { models, call, bill, gone, clock } = this.#parts;
        const { signal } = this.#stop;
        const unfollow = followAbort(this.#stop, gone);
        if (bill) followAbort(this.#stop, bill.exhausted);
        signal.throwIfAborted();
        this.#isCalled = true;
        try {
            const { parts } = await models.open([call], signal);
            this.#begunAt = clock();
            this.#begin();
            for await (const batch of parts) {
                for (const part of batch) this.#produced.hear(part);
                bill?.produced(call.model.id, this.#produced.output);
                this.#pass(batch);
            }
        } catch (error) {
            if (!bill?.isExhaustion(error)) throw error;
            this.#pass([
                { type: 'usage', usage: this.#usage() },
                { type: 'finish', reason: 'length' },
            ]);
        } finally {
            unfollow();
        }
    }

    #pass(batch: StreamPart[]): void {
        for (const part of batch) this.#answer.hear(part);
        this.#queue?.push(batch);
    }

    /** Of what came, estimated where the provider told none. */
    #usage(): Usage {
        const { models, call } = this.#parts;
        const { usage, produced, thoughts } = this.#answer;
        return usage ?? models.estimateUsage(call, produced, thoughts);
    }

    #outcomeOf(error: ApiError): CallOutcome {
        if (isApiError(error, 'SHUTTING_DOWN')) return 'interrupted';
        return this.#parts.gone.aborted ? 'cancelled' : 'failed';
    }

    async #end(outcome: CallOutcome, error: ApiError | null): Promise<void> {
        const { call, bill, clock, onEnd } = this.#parts;
        const isRefused = outcome === 'failed' && this.#begunAt === null;
        bill?.close();
        await onEnd({
            call,
            outcome,
            usage: isRefused || !this.#isCalled ? null : this.#usage(),
            error: outcome === 'cancelled' ? null : error,
            durationMs: clock() - this.#startedAt,
            timeToFirstTokenMs: this.#begunAt === null ? null : this.#begunAt - this.#startedAt,
        });
    }
}

/** Noted before the client has it: what a client got is paid, whatever becomes of this process. */
async function* noted(batches: AsyncIterable<StreamPart[]>, bill: Bill): AsyncGenerator<StreamPart[]> {
    for await (const batch of batches) {
        await bill.note();
        yield batch;
    }
}
