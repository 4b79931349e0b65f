import { randomUUID } from 'node:crypto';

import { placeName } from './capacity-store.ts';
import { bucketOf } from '../../../src/relay/histogram.ts';

import type { Batch, MetricsStore } from './metrics-store.ts';
import type { EndedCall } from './proxy-call.ts';
import type { Logger } from '../../../src/telemetry/logger.ts';
import type { ProxyPlace } from '../api.ts';

const FLUSH_MS = 1_000;
/** How many batches wait for a store that is away. */
const MOST_WAITING = 10_000;

type Counts = Record<string, number>;

/** Counts calls in the process and writes them down once a second and proxy; what could not be written is sent again. */
export class TrafficCounter {
    readonly #store: Pick<MetricsStore, 'count'>;
    readonly #logger: Logger;
    #open = new Map<string, Omit<Batch, 'id'>>();
    #waiting: Batch[] = [];
    #timer: NodeJS.Timeout | undefined;
    #flushing = Promise.resolve();

    constructor(store: Pick<MetricsStore, 'count'>, logger: Logger) {
        this.#store = store;
        this.#logger = logger;
    }

    count(place: ProxyPlace, { outcome, latencyMs, hasWaited, tries }: EndedCall): void {
        const { counts, members } = this.#batchOf(place);
        const bytesIn = tries.reduce((sum, tried) => sum + tried.bytesIn, 0);
        const bytesOut = tries.reduce((sum, tried) => sum + tried.bytesOut, 0);
        addCall(counts, '', { outcome, latencyMs, bytesIn, bytesOut });
        add(counts, 'retries', Math.max(0, tries.length - 1));
        add(counts, 'waited', hasWaited ? 1 : 0);
        for (const { tunnelId, ...tried } of tries) addCall(members, `${tunnelId}:`, tried);
    }

    /** Writes down what was counted so far. Never fails. */
    flush(): Promise<void> {
        clearTimeout(this.#timer);
        this.#timer = undefined;
        this.#flushing = this.#flushing.then(() => this.#send());
        return this.#flushing;
    }

    async #send(): Promise<void> {
        const batches = [...this.#waiting, ...[...this.#open.values()].map((open) => ({ id: randomUUID(), ...open }))];
        this.#open = new Map();
        const failed: Batch[] = [];
        for (const batch of batches) {
            await this.#store.count(batch).catch((error: unknown) => {
                if (failed.length === 0) this.#logger.warn({ module: 'proxies', err: error }, 'Calls are counted late');
                failed.push(batch);
            });
        }
        this.#waiting = failed.slice(-MOST_WAITING);
        if (this.#waiting.length > 0) this.#arm();
    }

    #batchOf({ tenantId, proxyId }: ProxyPlace): Omit<Batch, 'id'> {
        const name = placeName({ tenantId, proxyId });
        const batch = this.#open.get(name) ?? { place: { tenantId, proxyId }, counts: {}, members: {} };
        this.#open.set(name, batch);
        this.#arm();
        return batch;
    }

    #arm(): void {
        this.#timer ??= setTimeout(() => void this.flush(), FLUSH_MS).unref();
    }
}

interface Counted {
    outcome: string;
    latencyMs: number;
    bytesIn: number;
    bytesOut: number;
}

function addCall(counts: Counts, prefix: string, { outcome, latencyMs, bytesIn, bytesOut }: Counted): void {
    add(counts, `${prefix}requests`, 1);
    add(counts, prefix + (outcome === 'success' ? 'successes' : `error:${outcome}`), 1);
    add(counts, `${prefix}bytesIn`, bytesIn);
    add(counts, `${prefix}bytesOut`, bytesOut);
    // What was refused at once says nothing of how long an answer takes.
    if (outcome !== 'offline') add(counts, `${prefix}latency:${bucketOf(latencyMs)}`, 1);
}

function add(counts: Counts, field: string, amount: number): void {
    if (amount > 0) counts[field] = (counts[field] ?? 0) + amount;
}
