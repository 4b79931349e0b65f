import { setTimeout as sleepFor } from 'node:timers/promises';

import { failedWith, type CallMeter, type MeasuredCall } from './call-meter.ts';
import { openAnswer, type Begun } from './open-answer.ts';
import { isOutage, mayFallBack, retryDelay } from './retries.ts';
import { supervised, type Timeouts } from './supervise.ts';
import { apiError, isApiError } from '../../src/http/errors.ts';

import type { Model, ModelCall, ModelProvider, OpenAnswer, ProviderName, StreamPart } from './api.ts';
import type { CircuitBreaker, Passage } from './circuit-breaker.ts';
import type { Outcome } from './circuit-store.ts';
import type { Logger } from '../../src/telemetry/logger.ts';

export interface ModelCallerOptions {
    providers: Partial<Record<ProviderName, ModelProvider>>;
    /** For models that are reached over a user's record. */
    relayed?: Pick<ModelProvider, 'stream'>;
    /** The names of the circuits; a provider without one is always called. */
    circuits: Partial<Record<ProviderName, string>>;
    breaker: CircuitBreaker;
    timeouts: Timeouts;
    logger: Logger;
    meter: CallMeter;
    /** Numbers in [0, 1), for the jitter. */
    random?: () => number;
    /** Rejects as soon as the signal is aborted. */
    sleep?: (milliseconds: number, signal: AbortSignal) => Promise<unknown>;
}

const FREE: Passage = { begin: () => Promise.resolve(), end: () => Promise.resolve() };

const outcomeOf = (error: unknown): Outcome => (isOutage(error) ? 'failure' : 'none');

/** Calls of models: tried again where that may help, refused at once while a circuit is open, answered by another. */
export class ModelCaller {
    readonly #options: ModelCallerOptions;
    readonly #random: () => number;
    readonly #sleep: (milliseconds: number, signal: AbortSignal) => Promise<unknown>;

    constructor(options: ModelCallerOptions) {
        this.#options = options;
        this.#random = options.random ?? Math.random;
        this.#sleep = options.sleep ?? ((milliseconds, signal) => sleepFor(milliseconds, undefined, { signal }));
    }

    /** As `ModelService.open` says. */
    async open(calls: [ModelCall, ...ModelCall[]], signal: AbortSignal): Promise<OpenAnswer> {
        const failures: unknown[] = [];
        for (const call of calls) {
            try {
                return await this.#measured(call, signal);
            } catch (error) {
                signal.throwIfAborted();
                failures.push(error);
                if (!mayFallBack(error, failures.length > 1)) break;
                if (failures.length < calls.length) this.#warn('A model failed and the next is asked', call, error);
            }
        }
        throw failures[0];
    }

    async #measured(call: ModelCall, signal: AbortSignal): Promise<OpenAnswer> {
        const measured = this.#options.meter.begin(call.model);
        try {
            const parts = await this.#openOne(call, signal, measured);
            measured.answers();
            return { call, parts };
        } catch (error) {
            measured.ends(failedWith(error, signal));
            throw error;
        }
    }

    /** The answer of one model, within the time for a first part, however many tries it takes. */
    async #openOne(call: ModelCall, signal: AbortSignal, measured: MeasuredCall): Promise<AsyncIterable<StreamPart[]>> {
        const began = performance.now();
        for (let tries = 1; ; tries++) {
            try {
                const { begun, passage } = await this.#tryOnce(call, signal, performance.now() - began);
                return watched(begun, { passage, measured, signal });
            } catch (error) {
                signal.throwIfAborted();
                const delayMs = this.#delay(call, error, tries, performance.now() - began);
                if (delayMs === null) throw error;
                this.#warn('A call to a model failed and is tried again', call, error, { attempt: tries, delayMs });
                await this.#sleep(delayMs, signal).catch((reason: unknown) => {
                    signal.throwIfAborted();
                    throw reason;
                });
            }
        }
    }

    async #tryOnce(call: ModelCall, signal: AbortSignal, elapsedMs: number): Promise<Opened> {
        const { providers, relayed, breaker, timeouts } = this.#options;
        signal.throwIfAborted();
        const provider = call.model.via ? relayed : providers[call.model.provider];
        if (!provider) throw apiError('MODEL_NOT_FOUND', { details: { model: call.model.id } });
        const circuit = this.#circuitOf(call.model);
        const passage = circuit === undefined ? FREE : await breaker.enter(circuit);
        try {
            const begun = await openAnswer(supervised(provider, call, signal, timeouts, elapsedMs));
            await passage.begin();
            return { begun, passage };
        } catch (error) {
            await passage.end(outcomeOf(error));
            throw error;
        }
    }

    /** Milliseconds until the next try; null where there is to be none, or it would come too late. */
    #delay({ model }: ModelCall, error: unknown, tries: number, elapsedMs: number): number | null {
        const { breaker, timeouts } = this.#options;
        const circuit = this.#circuitOf(model);
        if (circuit !== undefined && breaker.refuses(circuit)) return null;
        const delayMs = retryDelay(error, tries, this.#random);
        return delayMs !== null && elapsedMs + delayMs < timeouts.first ? delayMs : null;
    }

    /** A user's own server is nobody else's, and tells by itself when it is away. */
    #circuitOf({ provider, via }: Model): string | undefined {
        return via ? undefined : this.#options.circuits[provider];
    }

    #warn(message: string, { model, requestId }: ModelCall, error: unknown, more: object = {}): void {
        const code = isApiError(error) ? error.data?.code : undefined;
        const { logger } = this.#options;
        logger.warn({ module: 'models', requestId, provider: model.provider, model: model.id, code, ...more }, message);
    }
}

/** An answer that has begun, and the circuit that it came through. */
interface Opened {
    begun: Begun;
    passage: Passage;
}

interface Watchers {
    passage: Passage;
    measured: MeasuredCall;
    signal: AbortSignal;
}

/** Tells the circuit and the meter how the rest of an answer went. */
async function* watched(
    { first, source }: Begun,
    { passage, measured, signal }: Watchers,
): AsyncGenerator<StreamPart[]> {
    // Also where nobody reads on.
    let outcome = 'cancelled';
    try {
        for (let next = first; !next.done; next = await source.next()) {
            for (const part of next.value) measured.hears(part);
            yield next.value;
        }
        outcome = 'success';
    } catch (error) {
        outcome = failedWith(error, signal);
        await passage.end(outcomeOf(error));
        throw error;
    } finally {
        measured.ends(outcome);
        await source.return?.();
    }
    await passage.end('success');
}
