import { RelayCall } from './relay-call.ts';
import { RemoteLink, type RemoteParts } from './remote-link.ts';
import { Successor } from './successor.ts';
import { RelayFailure, type Way } from './way.ts';
import { apiError, isApiError, type ApiError } from '../../../src/http/errors.ts';
import { headerOf, withHeader } from '../../../src/relay/headers.ts';
import { OnceBody } from '../../../src/relay/once-body.ts';
import { isSafePath } from '../../../src/relay/safe-path.ts';
import { TUNNEL_NEWS, type TunnelNews, type TunnelPlace, type TunnelRecords, type TunnelUser } from '../api.ts';

import type { Links } from './links.ts';
import type { LinkOwner, RegistryStore } from './registry-store.ts';
import type { Platform } from '../../../src/platform.ts';
import type { Headers, RelayAnswer, RelayRequest } from '../../../src/relay/types.ts';
import type { Tracing } from '../../../src/telemetry/tracing.ts';

export interface RelayParts extends Pick<Platform, 'signals' | 'logger'> {
    tunnels: TunnelRecords;
    links: Links;
    registry: RegistryStore;
    /** Null: this replica reaches no other. */
    remote: RemoteParts | null;
    tracing: Tracing;
}

const REQUEST_ID = 'x-request-id';
const TRACEPARENT = 'traceparent';

/** A call that may be by a share, which may be taken back while it runs. */
interface Guest {
    user: TunnelUser;
    tunnelId: string;
    /** From its beginning on. */
    call: RelayCall | null;
    /** Taken back: it is refused with that. */
    refusal: ApiError | null;
}

/** Requests through tunnels, over whichever replica holds the link. */
export class RelayService {
    readonly #parts: RelayParts;
    readonly #guests = new Set<Guest>();
    #unlisten: (() => void) | undefined;

    constructor(parts: RelayParts) {
        this.#parts = parts;
    }

    async start(): Promise<void> {
        this.#unlisten = await this.#parts.signals.listen(TUNNEL_NEWS, (message) => {
            void this.#onNews(JSON.parse(message) as TunnelNews);
        });
    }

    stop(): void {
        this.#unlisten?.();
    }

    /**
     * Sends a request through a tunnel of the user's, or one that is shared with him.
     *
     * @throws TUNNEL_NOT_FOUND, MALFORMED_REQUEST, QUOTA_EXCEEDED, INSUFFICIENT_CREDITS, SPEND_LIMIT_REACHED,
     *   TUNNEL_OFFLINE, TUNNEL_BUSY, TUNNEL_TIMEOUT, TUNNEL_ERROR
     */
    readonly relay = (user: TunnelUser, tunnelId: string, request: RelayRequest): Promise<RelayAnswer> => {
        const attributes = { 'tenant.id': user.tenantId, 'request.id': headerOf(request.head.headers, REQUEST_ID) };
        return this.#parts.tracing.inSpan('tunnel', { attributes }, () => this.#relay(user, tunnelId, request));
    };

    async #relay(user: TunnelUser, tunnelId: string, { head: asked, body, gone }: RelayRequest): Promise<RelayAnswer> {
        const head = { ...asked, headers: this.#traced(asked.headers) };
        if (!isSafePath(head.path)) throw apiError('MALFORMED_REQUEST');
        const place = { tenantId: user.tenantId, tunnelId };
        // From before anybody looks whether there is a share: one that is taken back from then on is told of here.
        const guest: Guest = { user, tunnelId, call: null, refusal: null };
        this.#guests.add(guest);
        const call = await this.#open(guest, gone).catch((error: unknown) => {
            this.#guests.delete(guest);
            throw error;
        });
        try {
            return call.begin(await this.#send(place, { head, body: body && call.upload(body), gone: call.gone }));
        } catch (error) {
            throw call.fail(error);
        }
    }

    /** Whoever is on the way measures its part of the same trace. */
    #traced(headers: Headers): Headers {
        return withHeader(headers, TRACEPARENT, this.#parts.tracing.traceparent());
    }

    async #open(guest: Guest, gone: AbortSignal): Promise<RelayCall> {
        const { tunnels } = this.#parts;
        const { user, tunnelId } = guest;
        const place = { tenantId: user.tenantId, tunnelId };
        const { ownerId, config, shareId } = await tunnels.use(user, tunnelId);
        const refusal = await tunnels.relayRefusal(place.tenantId, ownerId);
        if (refusal) throw refusal;
        if (guest.refusal) throw guest.refusal;
        const call: RelayCall = new RelayCall(gone, config.timeout, {
            onBytes: (bytes) => {
                tunnels.countBytes(place, bytes);
                void this.#mayGoOn(call, place, ownerId);
            },
            onEnd: (ended) => {
                tunnels.count(place, ended);
                this.#guests.delete(guest);
            },
        });
        guest.call = call;
        if (shareId === null) this.#guests.delete(guest);
        return call;
    }

    /** A call that relays more than its tenant may, or can pay, ends. */
    async #mayGoOn(call: RelayCall, { tenantId }: TunnelPlace, ownerId: string): Promise<void> {
        try {
            const refusal = await this.#parts.tunnels.relayRefusal(tenantId, ownerId);
            if (refusal) call.giveUp('refused', refusal);
        } catch (error) {
            // Nobody knows better just now; the next look is soon.
            this.#parts.logger.warn({ module: 'tunnels', err: error }, 'It is not known whether a call may go on');
        }
    }

    async #send(place: TunnelPlace, { head, body, gone }: RelayRequest): Promise<RelayAnswer> {
        const once = body && new OnceBody(body);
        const request = { head, body: once, gone };
        const here = this.#parts.links.find(place);
        const owner = here ? null : await this.#parts.registry.find(place);
        const way = here ?? (owner && this.#wayTo(place, owner));
        if (!way) throw new RelayFailure('offline');
        try {
            return await way.send(request);
        } catch (error) {
            const hasMoved = error instanceof RelayFailure && error.fault === 'moved' && !once?.isTouched;
            const other = hasMoved ? await this.#newWay(place, owner) : null;
            if (!other) throw error;
            return other.send(request);
        }
    }

    /** The link went elsewhere while it was looked for: that may be looked up once more. */
    async #newWay(place: TunnelPlace, old: LinkOwner | null): Promise<Way | null> {
        const here = this.#parts.links.find(place);
        if (here) return here;
        const owner = await this.#parts.registry.find(place);
        const isSame = owner?.connectionId === old?.connectionId && owner?.isDraining === old?.isDraining;
        return owner === null || isSame ? null : this.#wayTo(place, owner);
    }

    #wayTo(place: TunnelPlace, owner: LinkOwner): Way | null {
        const { remote } = this.#parts;
        if (owner.isDraining) return new Successor(() => this.#newWay(place, owner));
        return remote === null || owner.address === '' ? null : new RemoteLink(place, owner, remote);
    }

    /** Who was a guest and is not any more loses also what is running. */
    async #onNews({ tunnelId }: TunnelNews): Promise<void> {
        const guests = [...this.#guests].filter((guest) => guest.tunnelId === tunnelId);
        await Promise.all(guests.map((guest) => this.#look(guest)));
    }

    async #look(guest: Guest): Promise<void> {
        try {
            await this.#parts.tunnels.get(guest.user, guest.tunnelId, 'read');
        } catch (error) {
            this.#parts.logger.info({ module: 'tunnels', err: error }, 'A running call lost its share');
            guest.refusal = isApiError(error) ? error : apiError('TUNNEL_NOT_FOUND', { cause: error });
            guest.call?.giveUp('refused', guest.refusal);
        }
    }
}
