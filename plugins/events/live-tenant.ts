import { Latch } from './latch.ts';
import { eventsIn, type EventStore } from './store.ts';
import { channelOf, type StreamStore } from './stream-store.ts';

import type { TenantEvent } from './api.ts';
import type { Signals } from '../../src/redis/signals.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { AuthPort } from '../auth/api.ts';

/** Events that are read at once. */
const BATCH = 100;
/** How often there is a look for events: a signal may have been lost. */
const LOOK_EVERY_MS = 2_000;
/** How often standing is looked at, and places are renewed. */
const KEEP_EVERY_MS = 5_000;

export interface LiveParts {
    events: EventStore;
    streams: StreamStore;
    auth: Pick<AuthPort, 'standing'>;
    signals: Signals;
    logger: Logger;
}

/** A stream that somebody follows. */
export interface LiveStream {
    id: string;
    actor: Actor;
    /** The standing with which it began. */
    mark: string;
    latch: Latch;
    isOver: boolean;
}

/** Events that were read, and the place of the last one. */
export interface Read {
    events: readonly TenantEvent[];
    place: string;
}

/** The live streams of one tenant in this process: they are woken together, and share what they read. */
export class LiveTenant {
    readonly #parts: LiveParts;
    readonly #tenantId: string;
    readonly #streams = new Set<LiveStream>();
    /** What was read since the last signal, by the place after which it was. */
    readonly #reads = new Map<string, Promise<Read>>();
    readonly #timers: NodeJS.Timeout[];
    readonly #unlisten: Promise<() => void>;

    constructor(parts: LiveParts, tenantId: string) {
        this.#parts = parts;
        this.#tenantId = tenantId;
        this.#unlisten = parts.signals.listen(channelOf(tenantId), () => this.#wake());
        this.#timers = [
            setInterval(() => this.#wake(), LOOK_EVERY_MS).unref(),
            setInterval(() => void this.#keep().catch(this.#warn), KEEP_EVERY_MS).unref(),
        ];
    }

    get size(): number {
        return this.#streams.size;
    }

    /** Settled when nothing that happens from now on is missed. */
    async ready(): Promise<void> {
        await this.#unlisten;
        await this.#parts.streams.listen(this.#tenantId);
    }

    join(stream: LiveStream): void {
        this.#streams.add(stream);
    }

    /** @returns Whether it was there */
    leave(stream: LiveStream): boolean {
        end(stream);
        return this.#streams.delete(stream);
    }

    [Symbol.iterator](): IterableIterator<LiveStream> {
        return this.#streams.values();
    }

    /** The events after a place, some of them; whoever stands at the same place is given the same. */
    read(place: string): Promise<Read> {
        const known = this.#reads.get(place);
        if (known) return known;
        const reading = this.#read(place);
        this.#reads.set(place, reading);
        // What is not for the next moment is not kept: slow readers stand at many places.
        const forget = () => void (this.#reads.get(place) === reading && this.#reads.delete(place));
        reading.then(({ events }) => events.length > 0 && setImmediate(forget), forget);
        return reading;
    }

    async close(): Promise<void> {
        for (const timer of this.#timers) clearInterval(timer);
        (await this.#unlisten)();
    }

    async #read(place: string): Promise<Read> {
        const entries = await this.#parts.events.after(this.#tenantId, place, BATCH);
        return { events: eventsIn(this.#tenantId, entries), place: entries.at(-1)?.[0] ?? place };
    }

    #wake(): void {
        this.#reads.clear();
        for (const { latch } of this.#streams) latch.ring();
    }

    /** Ends the streams of those who are out of standing, each credential looked at once, and keeps the others’ places. */
    async #keep(): Promise<void> {
        const { auth, streams } = this.#parts;
        if (this.#streams.size === 0) return;
        await Promise.all(
            groups(this.#streams, ({ actor }) => actor.tokenId).map(async ([first, ...others]) => {
                const mark = await auth.standing(first.actor);
                for (const stream of [first, ...others]) if (stream.mark !== mark) end(stream);
            }),
        );
        const kept = [...this.#streams].filter(({ isOver }) => !isOver);
        const renewed = groups(kept, ({ actor }) => actor.userId).map((own) =>
            streams.renew(
                own[0].actor,
                own.map(({ id }) => id),
            ),
        );
        await Promise.all([streams.listen(this.#tenantId), ...renewed]);
    }

    readonly #warn = (error: unknown): void => {
        const { logger } = this.#parts;
        logger.warn({ module: 'events', tenantId: this.#tenantId, err: error }, 'Live streams could not be kept');
    };
}

function end(stream: LiveStream): void {
    stream.isOver = true;
    stream.latch.ring();
}

/** The streams that have something in common. */
function groups(streams: Iterable<LiveStream>, keyOf: (stream: LiveStream) => string): [LiveStream, ...LiveStream[]][] {
    const byKey = new Map<string, [LiveStream, ...LiveStream[]]>();
    for (const stream of streams) {
        const group = byKey.get(keyOf(stream));
        if (group) group.push(stream);
        else byKey.set(keyOf(stream), [stream]);
    }
    return [...byKey.values()];
}
