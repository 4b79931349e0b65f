import { EventLog, type LoggedEvent } from './event-log.ts';
import { EventWriter } from './event-writer.ts';
import { withPatience } from './patience.ts';
import { followAbort } from '../../src/follow-abort.ts';
import { apiError, errorBody, isApiError, type ApiError } from '../../src/http/errors.ts';
import { isStoreUnavailable } from '../../src/redis/client.ts';
import { isoTime } from '../../src/redis/codec.ts';
import { OutputMeter } from '../models/api.ts';

import type { AnswerInfo } from './answer-codec.ts';
import type { AnswerPlace, AnswerStore, Timing } from './answer-store.ts';
import type { EndedMessage, EndStatus, Message } from './api.ts';
import type { Clock } from '../../src/clock.ts';
import type { Outbox } from '../../src/redis/outbox.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { Tracing } from '../../src/telemetry/tracing.ts';
import type { Bill } from '../billing/api.ts';
import type { FinishReason, ModelCall, ModelService, StreamPart, Usage } from '../models/api.ts';

export interface GenerationParts {
    models: ModelService;
    store: AnswerStore;
    /** The process that writes it. */
    owner: string;
    info: AnswerInfo;
    /** Prepared; those after the first are for when it does not answer. */
    calls: [ModelCall, ...ModelCall[]];
    /** Null: the call costs nothing. */
    bill: Bill | null;
    /** What others are told of its end. */
    outboxOf: (message: EndedMessage) => Outbox;
    /** It ends when the last client that reads it goes away. */
    endsWithClient: boolean;
    clock: Clock;
    logger: Logger;
    tracing: Tracing;
}

/** The end of an answer, good or bad. */
interface Outcome {
    status: EndStatus;
    error: ApiError | null;
}

/** What became of an answer that is not ours to write any more. */
const LOST = { lost: 'ANSWER_INTERRUPTED', deleted: 'THREAD_NOT_FOUND' } as const;
const CANCELLED = new Error('Cancelled');
const CLOSE: LoggedEvent = ['close', {}];

/**
 * An answer on its way. It lives by itself, whether or not a client still listens: it ends when the provider does, and
 * is stored then with whatever came. What it sends out is known to every replica before a client sees it.
 */
export class Generation {
    /** Resolved when the provider's first meaningful part is there; rejected when the provider refused before it. */
    readonly started: Promise<void>;
    /** The answer as it was stored; rejected when it failed. */
    readonly finished: Promise<Message>;
    readonly info: AnswerInfo;
    readonly place: AnswerPlace;

    readonly #parts: GenerationParts;
    readonly #log: EventLog;
    readonly #writer: EventWriter;
    readonly #stop = new AbortController();
    /** The process stops: nothing is waited for any more. */
    readonly #hurry = new AbortController();
    #call: ModelCall;
    readonly #produced = new OutputMeter();
    #text = '';
    #usage: Usage | null = null;
    #finishReason: FinishReason | null = null;
    #begin: () => void = () => undefined;
    #hasBegun = false;
    #clients = 0;
    /** When it was called, and when its first part came, by a clock that only goes forward. */
    readonly #calledAt = performance.now();
    #firstPartAt: number | null = null;

    constructor(parts: GenerationParts) {
        const { info, calls, tracing } = parts;
        this.#parts = parts;
        this.info = info;
        this.place = { tenantId: info.context.tenantId, messageId: info.draft.id };
        [this.#call] = calls;
        this.#log = new EventLog(info.draft.id);
        this.#writer = new EventWriter({
            log: this.#log,
            store: (from, events) => this.#append(from, events),
            onFailure: (error) => this.#stop.abort(error),
        });
        const begun = new Promise<void>((resolve) => {
            this.#begin = resolve;
        });
        const { tenantId, modelId } = info.context;
        const attributes = { 'tenant.id': tenantId, 'request.id': info.requestId, 'gen_ai.request.model': modelId };
        this.finished = tracing.inSpan('generation', { attributes }, () => this.#run());
        this.started = Promise.race([begun, this.finished.then(() => undefined)]);
        // Whoever waits is told; a generation that nobody waits for any more must not bring the process down.
        this.started.catch(() => undefined);
        this.finished.catch(() => undefined);
    }

    /** Everything from an event on, then what comes. */
    read(from = 0) {
        return this.#log.read(from);
    }

    /** A client waits for it, until it is gone; it may then have been the last one that the answer was for. */
    join(gone: AbortSignal): void {
        const leave = () => {
            this.#clients--;
            if (this.#parts.endsWithClient && this.#clients === 0) this.cancel();
        };
        this.#clients++;
        if (gone.aborted) leave();
        else gone.addEventListener('abort', leave, { once: true });
    }

    /** Stops the provider; what came until then is the answer. */
    cancel(): void {
        this.#stop.abort(CANCELLED);
    }

    /** Ends it now, because the process stops. */
    interrupt(): void {
        this.#hurry.abort();
        this.#stop.abort(apiError('SHUTTING_DOWN'));
    }

    async #run(): Promise<Message> {
        const { status, error } = await this.#relay();
        const message = this.#message(status, error);
        const timing = this.#timing();
        try {
            if (!error) this.#announce();
            await this.#writer.flush();
            await this.#end(message, timing, error ? this.#failure(error) : this.#completion(message));
        } catch (failure) {
            // Another process will end it, unless it was deleted; those who listen here are told now.
            const known = this.#report(failure);
            const ending = { message, timing, from: this.#log.length };
            if (isApiError(known, LOST.deleted)) await this.#parts.store.endDeleted(this.info, ending);
            this.#log.append(this.#failure(known), CLOSE);
            throw known;
        } finally {
            this.#parts.bill?.close();
            this.#log.end();
        }
        if (error) throw this.#report(error);
        return message;
    }

    /** Passes on what the provider sends, until it ends. */
    async #relay(): Promise<Outcome> {
        const { models, calls, bill } = this.#parts;
        if (bill) followAbort(this.#stop, bill.exhausted);
        try {
            const { call, parts } = await models.open(calls, this.#stop.signal);
            this.#call = call;
            this.#firstPartAt = performance.now();
            for await (const batch of parts) this.#hear(batch);
            return { status: 'complete', error: null };
        } catch (error) {
            return this.#outcomeOf(error);
        }
    }

    #hear(batch: StreamPart[]): void {
        for (const part of batch) {
            this.#produced.hear(part);
            if (part.type === 'text') this.#token(part.delta);
            else if (part.type === 'usage') this.#usage = part.usage;
            else if (part.type === 'finish') this.#finishReason = part.reason;
        }
        this.#parts.bill?.produced(this.#call.model.id, this.#produced.output);
    }

    #outcomeOf(error: unknown): Outcome {
        if (this.#parts.bill?.isExhaustion(error)) {
            this.#finishReason = 'length';
            return { status: 'complete', error: null };
        }
        if (error === CANCELLED) {
            this.#finishReason = 'cancelled';
            return { status: 'cancelled', error: null };
        }
        const known = isApiError(error) ? error : apiError('INTERNAL_ERROR', { cause: error });
        return { status: isApiError(error, 'SHUTTING_DOWN') ? 'interrupted' : 'failed', error: known };
    }

    #token(token: string): void {
        this.#announce();
        this.#text += token;
        this.#writer.push(token);
    }

    #announce(): void {
        if (this.#hasBegun) return;
        this.#hasBegun = true;
        const { userMessage, ignoredParameters } = this.info;
        const start = {
            userMessageId: userMessage.id,
            ...(this.#answeredBy !== null && { answeredBy: this.#answeredBy }),
            ...(ignoredParameters.length > 0 && { details: { ignoredParameters } }),
            timestamp: this.#now(),
        };
        this.#writer.push(['message_start', start]);
        this.#begin();
    }

    #message(status: EndStatus, error: ApiError | null): EndedMessage {
        const { draft } = this.info;
        const usage = this.#usage ?? this.#estimate();
        return {
            ...draft,
            status,
            // A model may break off, or a provider err, in the middle of a character.
            content: this.#text.toWellFormed(),
            tokens: usage.output,
            usage,
            finishReason: this.#finishReason ?? (error ? 'error' : null),
            errorCode: error?.data?.code ?? null,
            answeredBy: this.#answeredBy,
        };
    }

    /** Null: the model that was asked. */
    get #answeredBy(): string | null {
        const { id } = this.#call.model;
        return id === this.info.draft.modelId ? null : id;
    }

    #estimate(): Usage {
        const { output, reasoning } = this.#produced;
        return { ...this.#parts.models.estimateUsage(this.#call, ''), output, reasoning };
    }

    #timing(): Timing {
        const since = (at: number) => at - this.#calledAt;
        const first = this.#firstPartAt;
        return { durationMs: since(performance.now()), timeToFirstTokenMs: first === null ? null : since(first) };
    }

    async #append(from: number, events: LoggedEvent[]): Promise<void> {
        const { store, owner } = this.#parts;
        const state = await this.#patiently(() => store.append(this.place, owner, from, events));
        if (state === 'cancelling') this.cancel();
        else if (state !== 'running') throw apiError(LOST[state]);
    }

    /** Stores the answer with its last events. */
    async #end(message: EndedMessage, timing: Timing, event: LoggedEvent): Promise<void> {
        const { store, owner, outboxOf } = this.#parts;
        const events = [event, CLOSE];
        const ending = { by: owner, message, timing, events, from: this.#log.length, outbox: outboxOf(message) };
        const state = await this.#patiently(() => store.end(this.info, ending));
        if (state !== 'ended') throw apiError(LOST[state]);
        this.#log.append(...events);
    }

    #patiently<Result>(work: () => Promise<Result>): Promise<Result> {
        const { clock, logger } = this.#parts;
        return withPatience(work, { clock, logger, hurry: this.#hurry.signal });
    }

    #completion({ status, tokens, finishReason, usage }: Message): LoggedEvent {
        return ['message_complete', { status, totalTokens: tokens, finishReason, usage, timestamp: this.#now() }];
    }

    #failure(error: ApiError): LoggedEvent {
        return ['error', { error: errorBody(error, this.info.requestId) }];
    }

    #report(failure: unknown): ApiError {
        const code = isStoreUnavailable(failure) ? 'STORE_UNAVAILABLE' : 'INTERNAL_ERROR';
        const error = isApiError(failure) ? failure : apiError(code, { cause: failure });
        const told = { err: error.cause ?? error, messageId: this.info.draft.id, errorCode: error.data?.code };
        this.#parts.logger.warn(told, 'An answer failed');
        return error;
    }

    #now(): string {
        return isoTime(this.#parts.clock());
    }
}
