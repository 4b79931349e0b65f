import { eventId, streamIdOf } from './event-id.ts';
import { Latch } from './latch.ts';
import { LiveTenant, type LiveParts, type LiveStream, type Read } from './live-tenant.ts';
import { fitsPattern } from '../../src/events/patterns.ts';
import { apiError } from '../../src/http/errors.ts';
import { newId } from '../../src/ids.ts';
import { isStoreUnavailable } from '../../src/redis/client.ts';

import type { TenantEvent } from './api.ts';
import type { Drain } from '../../src/drain.ts';
import type { ServerSentEvent } from '../../src/http/sse.ts';
import type { Actor } from '../../src/types/actor.ts';

/** How many streams a user may follow at the same time, on all servers together. */
const MOST_STREAMS = 5;
/** They see what has no owner, and what is others'. */
const ADMIN_ROLES = ['admin', 'superadmin'];

export interface StreamWish {
    /** Patterns of the types that are wanted; all of them unless given. */
    types?: string[] | undefined;
    /** The last event that the client has. */
    lastEventId?: string | undefined;
}

export interface OpenedStream {
    events: AsyncIterable<ServerSentEvent[]>;
    /** The client is gone. */
    leave: () => void;
}

/** The events of tenants as they happen, for the clients of this process. */
export class LiveStreams {
    readonly #parts: LiveParts & { drain: Drain };
    readonly #tenants = new Map<string, LiveTenant>();
    readonly #leaving = new Set<Promise<void>>();

    constructor(parts: LiveParts & { drain: Drain }) {
        this.#parts = parts;
        parts.drain.onDrain(() => this.stop());
    }

    /** @throws SHUTTING_DOWN, VALIDATION_ERROR, TOO_MANY_STREAMS, SESSION_ENDED */
    async open(actor: Actor, { types, lastEventId }: StreamWish): Promise<OpenedStream> {
        const { streams, auth, drain } = this.#parts;
        const { tenantId } = actor;
        if (drain.isDraining) throw apiError('SHUTTING_DOWN', { retryAfter: 1 });
        const seen = lastEventId === undefined ? null : streamIdOf(tenantId, lastEventId);
        if (lastEventId !== undefined && seen === null) throw notAnEvent();
        const mark = await auth.standing(actor);
        if (mark === null) throw apiError('SESSION_ENDED');
        const stream = { id: newId('lease'), actor, mark, latch: new Latch(), isOver: false };
        if (!(await streams.take(actor, stream.id, MOST_STREAMS))) {
            throw apiError('TOO_MANY_STREAMS', { details: { limit: MOST_STREAMS } });
        }
        const live = this.#join(stream);
        try {
            await live.ready();
            const { place, isLost } = await streams.find(tenantId, seen);
            const first = { id: eventId(tenantId, place), event: isLost ? 'events_lost' : 'ready', data: {} };
            const isWanted = (event: TenantEvent) => isFor(actor, event) && fits(types, event);
            const events = this.#follow(live, stream, { place, first, isWanted });
            return { events, leave: () => this.#leave(live, stream) };
        } catch (error) {
            this.#leave(live, stream);
            throw error;
        }
    }

    /** Ends all streams: their clients go on at another server. */
    async stop(): Promise<void> {
        for (const live of this.#tenants.values()) for (const stream of live) this.#leave(live, stream);
        await Promise.all(this.#leaving);
    }

    async *#follow(
        live: LiveTenant,
        stream: LiveStream,
        from: { place: string; first: ServerSentEvent; isWanted: (event: TenantEvent) => boolean },
    ): AsyncGenerator<ServerSentEvent[]> {
        let { place } = from;
        try {
            yield [from.first];
            while (!stream.isOver) {
                const read = await patiently(live.read(place));
                if (!read || read.events.length === 0) {
                    await stream.latch.next();
                    continue;
                }
                ({ place } = read);
                const wanted = read.events.filter(from.isWanted);
                if (wanted.length > 0) yield wanted.map(toSent);
            }
        } finally {
            this.#leave(live, stream);
        }
    }

    #join(stream: LiveStream): LiveTenant {
        const { tenantId } = stream.actor;
        const live = this.#tenants.get(tenantId) ?? new LiveTenant(this.#parts, tenantId);
        this.#tenants.set(tenantId, live);
        live.join(stream);
        return live;
    }

    /** Once, by whomever it is said first: the client, or the stream that has ended. */
    #leave(live: LiveTenant, stream: LiveStream): void {
        if (!live.leave(stream)) return;
        const { streams, logger } = this.#parts;
        const { tenantId, userId } = stream.actor;
        const isLast = live.size === 0;
        if (isLast) this.#tenants.delete(tenantId);
        const leaving = Promise.all([streams.release({ tenantId, userId }, stream.id), isLast && live.close()])
            .catch((err: unknown) =>
                logger.warn({ module: 'events', tenantId, err }, 'A stream has not left its place'),
            )
            .then(() => void this.#leaving.delete(leaving));
        this.#leaving.add(leaving);
    }
}

/** Admins see all of their tenant, others what is theirs. */
/** With what is for clients. */
const toSent = ({ requestId: _requestId, ...event }: TenantEvent): ServerSentEvent => ({
    id: event.id,
    event: event.type,
    data: event,
});

const isFor = ({ role, userId }: Actor, { data }: TenantEvent): boolean =>
    ADMIN_ROLES.includes(role) || data.userId === userId;

const fits = (patterns: string[] | undefined, { type }: TenantEvent): boolean =>
    patterns === undefined || patterns.some((pattern) => fitsPattern(pattern, type));

const notAnEvent = () =>
    apiError('VALIDATION_ERROR', { details: { fields: { 'last-event-id': 'last-event-id is no event of yours' } } });

/** Nothing, where Redis is away: it is looked again. */
const patiently = (reading: Promise<Read>): Promise<Read | null> =>
    reading.catch((error: unknown) => {
        if (isStoreUnavailable(error)) return null;
        throw error;
    });
