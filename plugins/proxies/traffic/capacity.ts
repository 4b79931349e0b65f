import { candidatesOf } from './candidates.ts';
import { placeName, readRoom, ROOM, type CapacityStore, type Entry, type Given } from './capacity-store.ts';
import { Leases, type Lease } from './leases.ts';
import { busy, Line } from './line.ts';
import { apiError } from '../../../src/http/errors.ts';
import { newId } from '../../../src/ids.ts';

import type { Platform } from '../../../src/platform.ts';
import type { ProxyPlace, ProxyRecords, ProxyUser } from '../api.ts';

/** A line takes nobody more when it is as long as the capacity, or as this. */
const LONGEST_LINE = 1_000;
const RETRY_AFTER_S = 1;

export interface CapacityParts extends Pick<Platform, 'signals' | 'logger' | 'drain'> {
    records: Pick<ProxyRecords, 'use'>;
    store: CapacityStore;
    waitMs: number;
    pollMs: number;
    renewMs: number;
}

/** A proxy as it was found for a request. */
export type Used = Awaited<ReturnType<ProxyRecords['use']>>;

/** A request that may go to a member. */
export interface Entered {
    lease: Lease;
    /** The members, as they are to be tried: the lease is on the first. */
    order: string[];
    /** Null: there was room at once. */
    waitedMs: number | null;
}

/** As many calls at a time as a proxy has room for, over all replicas; the others wait in line. */
export class Capacity {
    readonly #parts: CapacityParts;
    readonly #leases: Leases;
    readonly #lines = new Map<string, Line>();
    #isClosed = false;
    #unlisten: (() => void) | undefined;

    constructor(parts: CapacityParts) {
        this.#parts = parts;
        this.#leases = new Leases(parts.store, parts.logger, parts.renewMs);
    }

    async start(): Promise<void> {
        this.#unlisten = await this.#parts.signals.listen(ROOM, (message) => {
            const { proxy, lease } = readRoom(message);
            this.#lines.get(proxy)?.wake(lease);
        });
    }

    /** Nobody waits here any longer: another replica may have room. */
    close(): void {
        this.#isClosed = true;
        for (const line of this.#lines.values()) line.end(shuttingDown());
    }

    async stop(): Promise<void> {
        this.close();
        this.#unlisten?.();
        await this.#leases.stop();
    }

    /** @throws PROXY_BUSY, SHUTTING_DOWN, and what `use` throws of a proxy that is stopped or deleted meanwhile */
    async enter(user: ProxyUser, used: Used, gone: AbortSignal): Promise<Entered> {
        const since = Date.now();
        const place = { tenantId: user.tenantId, proxyId: used.proxy.id };
        const lease = newId('lease');
        const entry = await this.#ask(place, used, lease);
        if (entry === 'refused') throw this.#isOver ? shuttingDown() : busy(0);
        const isWaiting = entry === 'waiting';
        if (isWaiting && this.#isClosed) {
            this.#giveBack(place, { places: [lease] });
            throw shuttingDown();
        }
        const order = isWaiting ? await this.#lineOf(user, place, used).wait(lease, since, gone) : entry;
        const held = this.#leases.hold(place, lease, order[0] ?? '');
        return { lease: held, order, waitedMs: isWaiting ? Date.now() - since : null };
    }

    get #isOver(): boolean {
        return this.#isClosed || this.#parts.drain.isDraining;
    }

    #ask(place: ProxyPlace, { proxy, health }: Used, lease: string, keep: string[] = []): Promise<Entry> {
        const capacity = proxy.replicas * proxy.config.maxConnections;
        return this.#parts.store.enter(place, {
            lease,
            capacity,
            longest: Math.min(capacity, LONGEST_LINE),
            isClosed: this.#isOver,
            isByLoad: proxy.strategy === 'least_connections',
            members: candidatesOf(proxy, health),
            keep,
        });
    }

    #lineOf(user: ProxyUser, place: ProxyPlace, used: Used): Line {
        const name = placeName(place);
        const known = this.#lines.get(name);
        if (known) return known;
        let latest = used;
        const line = new Line({
            enter: (lease, keep) => this.#ask(place, latest, lease, keep),
            giveBack: (given) => this.#giveBack(place, given),
            refresh: async () => {
                latest = await this.#parts.records.use(user, place.proxyId);
            },
            onEmpty: () => {
                if (this.#lines.get(name) === line) this.#lines.delete(name);
            },
            waitMs: this.#parts.waitMs,
            pollMs: this.#parts.pollMs,
        });
        this.#lines.set(name, line);
        return line;
    }

    #giveBack(place: ProxyPlace, given: Given): void {
        this.#parts.store.leave(place, given).catch((error: unknown) => {
            this.#parts.logger.warn({ module: 'proxies', err: error }, 'A place in line is given back late');
        });
    }
}

const shuttingDown = () => apiError('SHUTTING_DOWN', { retryAfter: RETRY_AFTER_S });
