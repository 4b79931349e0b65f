import { HeldLink } from './held-link.ts';
import { OpenLinks } from './open-links.ts';
import { NEW_LINKS, type LinkOwner, type NewLink, type RegistryStore } from './registry-store.ts';
import { isApiError } from '../../../src/http/errors.ts';
import { newId } from '../../../src/ids.ts';
import { TUNNEL_NEWS, type Tunnel, type TunnelNews, type TunnelPlace, type TunnelRecords } from '../api.ts';
import { CLOSE_CODES, TOKEN_GONE } from '../link/close-codes.ts';
import { Link } from '../link/link.ts';

import type { Platform } from '../../../src/platform.ts';
import type { Hello, MessageSocket, Transport } from '../link/types.ts';

const HELLO_TIMEOUT_MS = 10_000;
const LAST_WORD_MS = 250;
/** What the agent did wrong, so that the tunnel shows it. */
const FAULTS = new Set<number>([CLOSE_CODES.protocol, CLOSE_CODES.tooLarge]);

export interface LinksParts extends Pick<Platform, 'signals' | 'logger' | 'drain'> {
    tunnels: TunnelRecords;
    registry: RegistryStore;
    /** Of this replica's internal listener. */
    address: () => string;
    heartbeatMs: number;
}

/** An agent that has proved to be that of a tunnel. */
export interface Admitted {
    tenantId: string;
    tunnel: Tunnel;
    token: string;
}

/** The links that this replica holds: who may have one, for how long, and what ends it. */
export class Links {
    readonly #parts: LinksParts;
    /** Everything that is open, also what drains or was replaced. */
    readonly #open = new OpenLinks();
    /** Of links, also of those that are closing. */
    readonly #sockets = new Map<HeldLink, MessageSocket>();
    readonly #ended = new Set<Promise<void>>();
    readonly #unlisten: (() => void)[] = [];
    #timer: NodeJS.Timeout | undefined;

    constructor(parts: LinksParts) {
        this.#parts = parts;
        parts.drain.onLeave(() => {
            for (const held of this.#open) if (held.isUp) held.leave();
        });
        parts.drain.onDrain((deadline) => this.#drain(deadline));
    }

    /** How many agents are connected here. */
    get count(): number {
        return [...this.#open].filter(({ isUp }) => isUp).length;
    }

    async start(): Promise<void> {
        const { signals, heartbeatMs } = this.#parts;
        this.#unlisten.push(
            await signals.listen(TUNNEL_NEWS, (message) => this.#onNews(JSON.parse(message) as TunnelNews)),
            await signals.listen(NEW_LINKS, (message) => this.#onNewLink(JSON.parse(message) as NewLink)),
        );
        this.#timer = setInterval(() => this.#beat(), heartbeatMs);
    }

    /** Cuts what is still open. */
    async stop(): Promise<void> {
        clearInterval(this.#timer);
        for (const unlisten of this.#unlisten.splice(0)) unlisten();
        this.#cut();
        await Promise.all(this.#ended);
    }

    /** The link of a tunnel, if this replica holds it and it takes requests. */
    find({ tunnelId }: TunnelPlace): HeldLink | null {
        for (const held of this.#open.of(tunnelId)) if (held.isReady) return held;
        return null;
    }

    /** Takes the socket of an agent; from now on the link looks after itself. */
    take(socket: MessageSocket, { tenantId, tunnel, token }: Admitted, transport?: Transport): void {
        const place = { tenantId, tunnelId: tunnel.id };
        const link = new Link(socket, 'gateway', {
            transport,
            onHello: (hello) => {
                held.joined = this.#join(held, hello).catch((error: unknown) => this.#give(held, error));
            },
            onHealth: (health) => void this.#parts.tunnels.setHealth(place, health).catch(this.#warn),
        });
        const owner: LinkOwner = { connectionId: newId('link'), address: this.#parts.address(), epoch: 0 };
        const held = new HeldLink({ place, owner, link, token, tunnel });
        this.#open.add(held);
        this.#sockets.set(held, socket);
        socket.once('close', () => this.#sockets.delete(held));
        const patience = setTimeout(() => {
            if (!held.isUp) link.close(CLOSE_CODES.protocol, 'No HELLO came');
        }, HELLO_TIMEOUT_MS);
        const ended = link.closed.then(async (end) => {
            clearTimeout(patience);
            // What it says of the link must not come after its end.
            await held.joined;
            await this.#leave(held, end);
            this.#ended.delete(ended);
        });
        this.#ended.add(ended);
    }

    /** Only a link that has greeted makes its tunnel connected. */
    async #join(held: HeldLink, hello: Hello): Promise<void> {
        const { tunnels, registry } = this.#parts;
        const { place, owner } = held;
        owner.epoch = await tunnels.nextEpoch(place);
        const { connectionId, epoch } = owner;
        const { tokenHash } = held.tunnel;
        const [verdict, endpoints] = await Promise.all([
            tunnels.linkUp(place, { connectionId, epoch, agent: hello.agent, tokenHash }),
            tunnels.endpoints(place),
        ]);
        if (verdict === 'connected') {
            // Before the first request, which must not go where the tunnel's user does not want it.
            await held.tellSettings(async () => endpoints);
            // Who reads of it in the registry may be here before the registry's answer is.
            held.isUp = true;
            if (!(await registry.take(place, owner))) return this.#giveWay(held);
            this.#replaceOlder(place, epoch);
            if (this.#parts.drain.isLeaving) held.leave();
            // What changed since its token was looked at was told to nobody who held it.
            return this.#verify(held);
        }
        if (verdict === 'stopped') return held.link.close(...STOPPED);
        if (verdict === 'replaced') return held.link.close(...REPLACED);
        held.link.close(...GONE);
    }

    async #leave(held: HeldLink, { code, reason }: { code: number; reason: string }): Promise<void> {
        this.#open.delete(held);
        const { place, owner } = held;
        try {
            await this.#parts.registry.leave(place, owner.connectionId);
            const why = reason === '' ? `The connection was closed (${code})` : reason;
            await this.#parts.tunnels.linkDown(place, owner.connectionId, why, FAULTS.has(code));
        } catch (error) {
            this.#warn(error);
        }
    }

    #onNews({ tunnelId, kind }: TunnelNews): void {
        if (kind === 'share_revoked') return;
        for (const held of this.#open.of(tunnelId)) this.#look(held);
    }

    #onNewLink({ tenantId, tunnelId, epoch }: NewLink): void {
        this.#replaceOlder({ tenantId, tunnelId }, epoch);
    }

    #replaceOlder({ tunnelId }: TunnelPlace, epoch: number): void {
        for (const held of this.#open.of(tunnelId)) {
            if (held.isUp && held.owner.epoch < epoch) this.#giveWay(held);
        }
    }

    /** To a newer link: one that was told to leave ends by itself, with what runs on it. */
    #giveWay(held: HeldLink): void {
        if (held.isLeaving) void this.#sendAway(held);
        else if (!held.isDraining) held.link.close(...REPLACED);
    }

    #beat(): void {
        for (const held of this.#open) {
            if (held.isUp && !held.isDraining) this.#look(held);
        }
    }

    #look(held: HeldLink): void {
        // Without Redis nobody can say that it must not go on.
        this.#verify(held).catch((error: unknown) => {
            if (!isApiError(error, 'TENANT_RESTORING')) return this.#warn(error);
            held.link.close(...RESTORING);
        });
    }

    /** Ends a link whose tunnel, token, owner or place is not what it was any more. */
    async #verify(held: HeldLink): Promise<void> {
        const { tunnels, registry } = this.#parts;
        const { place, token, link, owner } = held;
        const known = await tunnels.authenticate(place.tunnelId, token);
        if (known === null) return link.close(...GONE);
        held.tunnel = known.tunnel;
        if (known.tunnel.desired === 'stopped') return link.close(...STOPPED);
        if (!held.isReady) return;
        const { connectionId } = owner;
        const isKept = await tunnels.keepLink(place, { connectionId, tokenHash: known.tunnel.tokenHash });
        // A link that has ended meanwhile must not come back into the registry.
        if (!held.isReady) return;
        if (!isKept || !(await registry.take(place, owner))) return this.#giveWay(held);
        if (!link.isOpen) return registry.leave(place, connectionId);
        await held.tellSettings(() => tunnels.endpoints(place));
    }

    async #drain(deadline: AbortSignal): Promise<void> {
        for (const held of this.#open) void this.#sendAway(held);
        const cut = () => this.#cut();
        deadline.addEventListener('abort', cut, { once: true });
        if (deadline.aborted) cut();
        while (this.#ended.size > 0) await Promise.all(this.#ended);
        deadline.removeEventListener('abort', cut);
    }

    /** The registry is told before the agent, so that who misses the link knows that there will be another. */
    async #sendAway(held: HeldLink): Promise<void> {
        const { place, owner } = held;
        await held.joined;
        if (held.isUp) await this.#parts.registry.drain(place, owner.connectionId).catch(this.#warn);
        held.drain();
    }

    /** Who does not answer the close in a moment is cut: the server waits for every socket. */
    #cut(): void {
        for (const [held, socket] of this.#sockets) {
            held.link.close(CLOSE_CODES.restart, 'The server stops');
            setTimeout(() => socket.terminate(), LAST_WORD_MS);
        }
    }

    #give(held: HeldLink, error: unknown): void {
        this.#warn(error);
        held.link.close(CLOSE_CODES.restart, 'The server failed');
    }

    readonly #warn = (error: unknown): void => {
        this.#parts.logger.warn({ module: 'tunnels', err: error }, 'The state of a link may be late');
    };
}

/** The agent comes again until the tenant is back. */
const RESTORING = [CLOSE_CODES.restart, 'The tenant is being restored'] as const;
const REPLACED = [CLOSE_CODES.replaced, 'Another agent has taken the tunnel over'] as const;
const STOPPED = [CLOSE_CODES.stopped, 'The tunnel is stopped'] as const;
const GONE = [CLOSE_CODES.authentication, TOKEN_GONE] as const;
