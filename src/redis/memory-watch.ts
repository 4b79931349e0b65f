import { mastersOf, type RedisClient } from './client.ts';

import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';

const LOOK_EVERY_MS = 3_000;
/** Apart from each other, so that it is not one and then the other all the time. */
const FULL_FROM = 0.8;
const ROOM_BELOW = 0.78;

/** How full Redis is. */
export interface StoreMemory {
    /** Its part of `maxmemory`, 0 to 1; null where it has none, or has not been asked yet. */
    readonly used: number | null;
    /** Whether only that may be written which makes no new data. */
    readonly isFull: boolean;
}

/**
 * The part of its `maxmemory` that Redis has taken; of a cluster that of the fullest master.
 *
 * @throws {Error} While a master does not answer, or none is known
 */
export async function memoryOf(redis: RedisClient): Promise<number | null> {
    const told = await Promise.all(mastersOf(redis).map((server) => server.info('memory')));
    if (told.length === 0) throw new Error('No master is known');
    const parts = told.map(usedPart).filter((part) => part !== null);
    return parts.length === 0 ? null : Math.max(...parts);
}

/** As Redis counts itself before it refuses to write. */
function usedPart(told: string): number | null {
    const figure = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(told)?.[1] ?? 0);
    const most = figure('maxmemory');
    // What it holds for replicas and the append-only file does not count.
    return most === 0 ? null : (figure('used_memory') - figure('mem_not_counted_for_evict')) / most;
}

/** Asks every few seconds how full Redis is, so that requests need not. */
export class MemoryWatch implements StoreMemory {
    readonly #redis: RedisClient;
    readonly #logger: Logger;
    #used: number | null = null;
    #isFull = false;
    #timer: NodeJS.Timeout | undefined;

    constructor(redis: RedisClient, logger: Logger, metrics: Metrics) {
        this.#redis = redis;
        this.#logger = logger.child({ module: 'memory-watch' });
        const help = 'Part of the maxmemory of Redis that is taken; each process tells the same';
        metrics.gauge('db_memory_used_ratio', help, (set) => void (this.#used !== null && set(this.#used)));
    }

    get used(): number | null {
        return this.#used;
    }

    get isFull(): boolean {
        return this.#isFull;
    }

    /** Looks once, and again and again from then on. */
    async start(): Promise<void> {
        await this.look();
        this.#timer = setInterval(() => void this.look(), LOOK_EVERY_MS).unref();
    }

    stop(): void {
        clearInterval(this.#timer);
    }

    /** While Redis is away it stays as it was. */
    async look(): Promise<void> {
        const used = await memoryOf(this.#redis).catch(() => this.#used);
        const wasFull = this.#isFull;
        this.#used = used;
        this.#isFull = used !== null && used >= (wasFull ? ROOM_BELOW : FULL_FROM);
        if (this.#isFull === wasFull) return;
        if (this.#isFull) this.#logger.error({ used }, 'Redis is nearly full: what makes new data is refused');
        else this.#logger.info({ used }, 'Redis has room again');
    }
}
