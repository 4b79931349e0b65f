import type { EventConsumer } from './api.ts';
import type { EventBatch, EventStore } from './store.ts';
import type { Drain } from '../../src/drain.ts';
import type { Signals } from '../../src/redis/signals.ts';
import type { Logger } from '../../src/telemetry/logger.ts';

/** The channel on which `outbox.lua` names tenants that have events for a consumer. */
export const WAITING = 'events:waiting';

/** Tenants whose events are handed over at the same time. */
const LANES = 4;
/** Events that are handed over at once. */
const BATCH = 100;
/** How often tenants are looked for that are due: a signal may have been lost. */
const SWEEP_EVERY_MS = 1_000;
/** With so many in the line there is no need to look for more. */
const LONG_LINE = 200;
/** After that time what a process took and has not done with is another's to take; a living one says so in time. */
const FREE_AFTER_MS = 15_000;
const FIRST_RETRY_MS = 1_000;
/** By how much a timer may be early. */
const TIMER_SLACK_MS = 5;

export interface RelayParts {
    store: EventStore;
    signals: Signals;
    drain: Drain;
    logger: Logger;
    /** Told of when the oldest event of a batch has happened. */
    onTake?: (consumer: string, happenedAt: string) => void;
    freeAfterMs?: number;
    firstRetryMs?: number;
}

/** A tenant whose turn it is, for a consumer. */
interface Turn {
    tenantId: string;
    consumer: EventConsumer;
}

/**
 * Hands events over to their consumers, in turn: a tenant that has more than a batch goes to the end of the line. What
 * a consumer fails at is tried again later, by whichever process.
 */
export class Relay {
    readonly #parts: RelayParts;
    readonly #freeAfterMs: number;
    readonly #consumers = new Map<string, EventConsumer>();
    readonly #line = new Map<string, Turn>();
    readonly #running = new Map<string, Promise<void>>();
    /** Of whom there was a signal while it was their turn. */
    readonly #heard = new Set<string>();
    readonly #failures = new Map<string, { times: number; timer: NodeJS.Timeout | null }>();
    #sweeping: NodeJS.Timeout | undefined;
    #unlisten: Promise<() => void> | undefined;
    #isStopped = false;

    constructor(parts: RelayParts) {
        this.#parts = parts;
        this.#freeAfterMs = parts.freeAfterMs ?? FREE_AFTER_MS;
        parts.drain.onDrain((deadline) => this.stop(deadline));
    }

    consume(consumer: EventConsumer): void {
        if (this.#consumers.has(consumer.name)) throw new Error(`There are two consumers named ${consumer.name}`);
        this.#consumers.set(consumer.name, consumer);
    }

    /** Begins; until then, and in a process that never does, all is left to others. */
    start(): void {
        if (this.#consumers.size === 0 || this.#sweeping || this.#isStopped) return;
        this.#unlisten = this.#parts.signals.listen(WAITING, (tenantId) => {
            for (const consumer of this.#consumers.values()) this.#call({ tenantId, consumer });
        });
        this.#sweeping = setInterval(() => void this.#sweep().catch(this.#warn), SWEEP_EVERY_MS).unref();
    }

    /** Waits for what is being handed over, until the deadline. */
    async stop(deadline?: AbortSignal): Promise<void> {
        this.#isStopped = true;
        clearInterval(this.#sweeping);
        for (const { timer } of this.#failures.values()) if (timer) clearTimeout(timer);
        this.#line.clear();
        (await this.#unlisten)?.();
        const late = new Promise<void>((resolve) =>
            deadline?.addEventListener('abort', () => resolve(), { once: true }),
        );
        if (!deadline?.aborted) await Promise.race([Promise.all(this.#running.values()), late]);
    }

    async #sweep(): Promise<void> {
        for (const consumer of this.#consumers.values()) {
            if (this.#isStopped || this.#line.size >= LONG_LINE) return;
            const due = await this.#parts.store.due(consumer.name).take();
            for (const tenantId of due) this.#call({ tenantId, consumer });
        }
    }

    /** Puts a tenant at the end of the line, if it is not in it. */
    #call(turn: Turn): void {
        const name = nameOf(turn);
        if (this.#isStopped || this.#failures.get(name)?.timer) return;
        if (this.#running.has(name)) {
            this.#heard.add(name);
            return;
        }
        if (!this.#line.has(name)) this.#line.set(name, turn);
        this.#next();
    }

    #next(): void {
        for (const [name, turn] of this.#line) {
            if (this.#running.size >= LANES) return;
            this.#line.delete(name);
            const running = this.#serve(turn)
                .catch(this.#warn)
                .then((isMore) => {
                    this.#running.delete(name);
                    if (this.#heard.delete(name) || isMore === true) this.#call(turn);
                    this.#next();
                });
            this.#running.set(name, running);
        }
    }

    /** Hands a batch over. Gives whether there may be more. */
    async #serve(turn: Turn): Promise<boolean> {
        const { store } = this.#parts;
        const { tenantId, consumer } = turn;
        const batch = await store.take(tenantId, consumer.name, { most: BATCH, freeAfterMs: this.#freeAfterMs });
        if (batch === null) {
            this.#failures.delete(nameOf(turn));
            await store.due(consumer.name).forget(tenantId);
            return false;
        }
        if (batch.ids.length === 0) return false;
        try {
            await this.#handOver(turn, batch);
        } catch (error) {
            await this.#fail(turn, batch, error);
            return false;
        }
        this.#failures.delete(nameOf(turn));
        return true;
    }

    async #handOver({ tenantId, consumer }: Turn, { events, ids }: EventBatch): Promise<void> {
        const { store, onTake } = this.#parts;
        const [oldest] = events;
        if (oldest) onTake?.(consumer.name, oldest.timestamp);
        const keep = () => void store.age(tenantId, consumer.name, ids, 0).catch(this.#warn);
        const keeping = setInterval(keep, this.#freeAfterMs / 3).unref();
        try {
            await consumer.take(tenantId, events);
        } finally {
            clearInterval(keeping);
        }
        await store.done(tenantId, consumer.name, ids);
    }

    /** Leaves a batch to be tried again, later each time. */
    async #fail(turn: Turn, { ids }: EventBatch, error: unknown): Promise<void> {
        const { store, logger, firstRetryMs = FIRST_RETRY_MS } = this.#parts;
        const { tenantId, consumer } = turn;
        const name = nameOf(turn);
        const times = (this.#failures.get(name)?.times ?? 0) + 1;
        logger.warn(
            { module: 'events', tenantId, consumer: consumer.name, times, err: error },
            'Events were not taken',
        );
        const wait = Math.min(firstRetryMs * 2 ** Math.min(times - 1, 10), this.#freeAfterMs);
        // Where that fails too, they are free when their time is over.
        await store.age(tenantId, consumer.name, ids, this.#freeAfterMs - wait).catch(this.#warn);
        if (this.#isStopped) return;
        const retry = () => {
            this.#failures.set(name, { times, timer: null });
            this.#call(turn);
        };
        // Begun when they are that old, and a little longer: before they are free, newer ones would be taken.
        this.#failures.set(name, { times, timer: setTimeout(retry, wait + TIMER_SLACK_MS).unref() });
    }

    readonly #warn = (error: unknown): void => {
        this.#parts.logger.warn({ module: 'events', err: error }, 'Events could not be handed over');
    };
}

const nameOf = ({ tenantId, consumer }: Turn): string => `${consumer.name}/${tenantId}`;
