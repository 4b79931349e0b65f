import { newId } from '../../src/ids.ts';
import { isoTime } from '../../src/redis/codec.ts';
import { PLATFORM } from '../../src/redis/keys.ts';
import { tellLook } from '../../src/redis/platform-audit.ts';

import type { Replica, ReplicaStore } from './replica-store.ts';
import type { Config } from '../../src/config.ts';
import type { Platform } from '../../src/platform.ts';
import type { AppendOutbox } from '../../src/redis/append-outbox.ts';
import type { Load } from '../../src/telemetry/load.ts';
import type { Metrics } from '../../src/telemetry/metrics.ts';
import type { Actor } from '../../src/types/actor.ts';

/** Three of them may be lost before a process counts as gone. */
const REPORT_EVERY_MS = 4_000;

export interface ReplicaParts extends Pick<Platform, 'clock' | 'logger'> {
    store: ReplicaStore;
    append: AppendOutbox;
    metrics: Pick<Metrics, 'sum'>;
    config: Pick<Config, 'ROLE' | 'VERSION'>;
    measureLoad: () => Load;
}

/** What runs of the program: this process tells of itself, and knows of the others. */
export class Replicas {
    readonly #parts: ReplicaParts;
    readonly #id = newId('replica');
    readonly #startedAt: string;
    #timer: NodeJS.Timeout | undefined;
    #reporting = Promise.resolve();

    constructor(parts: ReplicaParts) {
        this.#parts = parts;
        this.#startedAt = isoTime(parts.clock());
    }

    /** From now on the others know of this process. Never fails. */
    async announce(): Promise<void> {
        this.#timer ??= setInterval(() => void this.#report(), REPORT_EVERY_MS).unref();
        await this.#report();
    }

    /** Never fails. */
    async stop(): Promise<void> {
        if (!this.#timer) return;
        clearInterval(this.#timer);
        await this.#reporting;
        await this.#parts.store.leave(this.#id).catch(this.#warn);
    }

    /** Told in the audit of the platform. */
    async list(actor: Actor): Promise<Replica[]> {
        const replicas = await this.#parts.store.list();
        await tellLook(this.#parts.append, actor, { id: PLATFORM, resource: 'replica', action: 'replica.list' });
        return replicas;
    }

    #report(): Promise<void> {
        this.#reporting = this.#reporting.then(() => this.#tell()).catch(this.#warn);
        return this.#reporting;
    }

    async #tell(): Promise<void> {
        const { store, metrics, config, measureLoad } = this.#parts;
        const { delayMs, rssMb } = measureLoad();
        const [streams, generations, tunnels] = await Promise.all(
            ['http_streams_open', 'generations_running', 'tunnel_connections_active'].map((name) => metrics.sum(name)),
        );
        await store.report(this.#id, {
            role: config.ROLE,
            version: config.VERSION,
            startedAt: this.#startedAt,
            eventLoopDelayMs: toHundredths(delayMs),
            rssMb: toHundredths(rssMb),
            streams: streams ?? 0,
            generations: generations ?? 0,
            tunnels: tunnels ?? 0,
        });
    }

    readonly #warn = (err: unknown): void => {
        this.#parts.logger.warn({ module: 'metrics', err }, 'Other replicas were not told of this one');
    };
}

const toHundredths = (value: number): number => Math.round(value * 100) / 100;
