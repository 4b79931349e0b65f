import { randomUUID } from 'node:crypto';

import { bucketOf } from '../../src/relay/histogram.ts';

import type { EndedRelay, TunnelPlace } from './api.ts';
import type { Batch, MetricsStore, ShareUse } from './metrics-store.ts';
import type { Logger } from '../../src/telemetry/logger.ts';

const FLUSH_MS = 1_000;
/** How many batches wait for a store that is away. */
const MOST_WAITING = 10_000;

type Counted = Omit<Batch, 'id'>;

/** Counts calls in the process and writes them down once a second and tunnel; what could not be written is sent again. */
export class CallCounter {
    readonly #store: Pick<MetricsStore, 'count'>;
    readonly #logger: Logger;
    #open = new Map<string, Counted>();
    #waiting: Batch[] = [];
    #timer: NodeJS.Timeout | undefined;
    #flushing = Promise.resolve();

    constructor(store: Pick<MetricsStore, 'count'>, logger: Logger) {
        this.#store = store;
        this.#logger = logger;
    }

    count(place: TunnelPlace, { outcome, latencyMs, bytesIn, bytesOut }: EndedRelay): void {
        const counted = this.#counted(place);
        const add = (field: string, amount: number) => {
            counted.counts[field] = (counted.counts[field] ?? 0) + amount;
        };
        add('requests', 1);
        add(outcome === 'success' ? 'successes' : `error:${outcome}`, 1);
        if (outcome !== 'offline') add(`latency:${bucketOf(latencyMs)}`, 1);
        this.countBytes(place, { bytesIn, bytesOut });
    }

    /** What a call that runs has relayed. */
    countBytes(place: TunnelPlace, bytes: Pick<EndedRelay, 'bytesIn' | 'bytesOut'>): void {
        const counted = this.#counted(place);
        for (const field of ['bytesIn', 'bytesOut'] as const) {
            counted.counts[field] = (counted.counts[field] ?? 0) + bytes[field];
            counted.bytes += bytes[field];
        }
    }

    /** Notes a call by a share. */
    use(place: TunnelPlace, shareId: string, isToken: boolean): void {
        const { uses } = this.#counted(place);
        const use = uses.find((known) => known.shareId === shareId);
        if (use) use.count += 1;
        else uses.push({ shareId, count: 1, isToken } satisfies ShareUse);
    }

    /** Writes down what was counted so far. Never fails. */
    flush(): Promise<void> {
        clearTimeout(this.#timer);
        this.#timer = undefined;
        this.#flushing = this.#flushing.then(() => this.#send());
        return this.#flushing;
    }

    async #send(): Promise<void> {
        for (const counted of this.#open.values()) this.#waiting.push({ id: randomUUID(), ...counted });
        this.#open = new Map();
        const failed: Batch[] = [];
        for (const batch of this.#waiting) {
            await this.#store.count(batch).catch((error: unknown) => {
                if (failed.length === 0) this.#logger.warn({ module: 'tunnels', err: error }, 'Calls are counted late');
                failed.push(batch);
            });
        }
        this.#waiting = failed.slice(-MOST_WAITING);
        if (failed.length > MOST_WAITING) {
            this.#logger.error({ module: 'tunnels', lost: failed.length - MOST_WAITING }, 'Calls are not counted');
        }
        if (this.#waiting.length > 0) this.#arm();
    }

    #counted(place: TunnelPlace): Counted {
        const key = `${place.tenantId}/${place.tunnelId}`;
        const known = this.#open.get(key);
        if (known) return known;
        const { tenantId, tunnelId } = place;
        const counted: Counted = { place: { tenantId, tunnelId }, counts: {}, bytes: 0, uses: [] };
        this.#open.set(key, counted);
        this.#arm();
        return counted;
    }

    #arm(): void {
        this.#timer ??= setTimeout(() => void this.flush(), FLUSH_MS).unref();
    }
}
