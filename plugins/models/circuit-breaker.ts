import { randomUUID } from 'node:crypto';

import { apiError, type ApiError } from '../../src/http/errors.ts';
import { isoTime } from '../../src/redis/codec.ts';

import type { CircuitState } from './api.ts';
import type { Circuit, CircuitStore, Outcome } from './circuit-store.ts';
import type { Clock } from '../../src/clock.ts';
import type { Logger } from '../../src/telemetry/logger.ts';

/** What other replicas know is known here so much later at most. */
const MIRROR_MS = 1_000;
/** A probe may end at any time: those who have to wait for it ask again soon. */
const PROBE_WAIT_MS = 1_000;

export interface CircuitBreakerOptions {
    store: CircuitStore;
    clock: Clock;
    logger: Logger;
    /** How long a probe may take; when its process dies the next may probe after that time. */
    leaseMs: number;
}

/** The right to make one call; whoever has it says how the call ended. */
export interface Passage {
    /** The answer has begun, which is all that a probe is to show. */
    begin(): Promise<void>;
    end(outcome: Outcome): Promise<void>;
}

/**
 * Circuits that all replicas share through Redis. A mirror in the process answers for them without a round trip: it is
 * read at most once a second, when calls are made. Calls go on while Redis is away.
 */
export class CircuitBreaker {
    readonly #options: CircuitBreakerOptions;
    #circuits = new Map<string, Circuit>();
    #readAt = -Infinity;
    #reading: Promise<void> | null = null;
    /** How far Redis' clock is ahead of ours. */
    #aheadMs = 0;

    constructor(options: CircuitBreakerOptions) {
        this.#options = options;
    }

    /** @throws CIRCUIT_OPEN with the time to wait */
    async enter(name: string): Promise<Passage> {
        await this.#refresh();
        if (!this.#isOpen(name)) return this.#passage(name, '');
        if (this.refuses(name)) throw this.#refusal(name);
        const { store, leaseMs } = this.#options;
        const lease = randomUUID();
        const entry = await this.#ask(name, () => store.enter(name, lease, leaseMs));
        if (entry && !entry.isFree) throw this.#refusal(name);
        return this.#passage(name, entry?.isProbe === true ? lease : '');
    }

    /** Whether a call would be refused, as far as this process knows. */
    refuses(name: string): boolean {
        return this.#waitMs(name) > 0;
    }

    /** The named circuits, and all others that are not clean. */
    async states(names: string[]): Promise<Record<string, CircuitState>> {
        await this.#refresh();
        const all = [...new Set([...names, ...this.#circuits.keys()])];
        return Object.fromEntries(all.map((name) => [name, this.#state(this.#circuits.get(name) ?? {})]));
    }

    /** Closes a circuit and forgets its failures; other replicas know within a second. */
    async reset(name: string): Promise<void> {
        await this.#options.store.reset(name);
        this.#circuits.delete(name);
    }

    #passage(name: string, given: string): Passage {
        let lease = given;
        const end = async (outcome: Outcome): Promise<void> => {
            const isNews = outcome === 'failure' || (outcome === 'success' && this.#circuits.has(name));
            if (!isNews && lease === '') return;
            const used = lease;
            // What comes later, with the rest of the answer, is no word of the probe any more.
            lease = '';
            await this.#report(name, outcome, used);
        };
        return { begin: async () => (lease === '' ? undefined : end('success')), end };
    }

    async #report(name: string, outcome: Outcome, lease: string): Promise<void> {
        const { store, logger } = this.#options;
        const told = await this.#ask(name, () => store.report(name, outcome, lease));
        if (told?.change) logger.warn({ module: 'models', circuit: name }, `The circuit has ${told.change}`);
    }

    #refresh(): Promise<void> {
        const age = this.#options.clock() - this.#readAt;
        if (age >= 0 && age < MIRROR_MS) return Promise.resolve();
        this.#reading ??= this.#read().finally(() => (this.#reading = null));
        return this.#reading;
    }

    async #read(): Promise<void> {
        const { store, clock, logger } = this.#options;
        try {
            const { at, circuits } = await store.read();
            this.#circuits = circuits;
            this.#aheadMs = at - clock();
        } catch (err) {
            logger.warn({ module: 'models', err }, 'The circuits could not be read');
        }
        this.#readAt = clock();
    }

    /** What a script answers, which is then known here as well; null while Redis is away. */
    async #ask<Answer extends { circuit: Circuit | null }>(
        name: string,
        run: () => Promise<Answer>,
    ): Promise<Answer | null> {
        const { logger } = this.#options;
        try {
            const answer = await run();
            if (answer.circuit) this.#circuits.set(name, answer.circuit);
            else this.#circuits.delete(name);
            return answer;
        } catch (err) {
            logger.warn({ module: 'models', circuit: name, err }, 'A circuit could not be asked');
            return null;
        }
    }

    #now(): number {
        return this.#options.clock() + this.#aheadMs;
    }

    #isOpen(name: string): boolean {
        return this.#circuits.get(name)?.openUntil !== undefined;
    }

    #waitMs(name: string): number {
        const { openUntil = 0, probeUntil = 0 } = this.#circuits.get(name) ?? {};
        const now = this.#now();
        if (now < openUntil) return openUntil - now;
        return now < probeUntil ? PROBE_WAIT_MS : 0;
    }

    #refusal(name: string): ApiError {
        const [provider] = name.split(':', 1);
        return apiError('CIRCUIT_OPEN', {
            details: { provider },
            retryAfter: Math.max(this.#waitMs(name), PROBE_WAIT_MS) / 1000,
        });
    }

    #state({ failedAt = [], openUntil }: Circuit): CircuitState {
        const now = this.#now();
        if (openUntil === undefined) {
            const { windowMs } = this.#options.store.policy;
            const failures = failedAt.filter((at) => at > now - windowMs).length;
            return { state: 'closed', failures, retryAt: null };
        }
        const isOpen = now < openUntil;
        return {
            state: isOpen ? 'open' : 'half_open',
            failures: failedAt.length,
            retryAt: isOpen ? isoTime(openUntil) : null,
        };
    }
}
