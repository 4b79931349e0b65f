import { asLongAsSaid, wholeBody } from './answer-body.ts';
import { RelayFailure, type Way } from './way.ts';
import { forClient } from '../../../src/relay/headers.ts';
import { watchBody } from '../../../src/relay/watch-body.ts';
import { LinkClosed, StreamReset, type Link } from '../link/link.ts';

import type { LinkOwner } from './registry-store.ts';
import type { RelayAnswer, RelayRequest } from '../../../src/relay/types.ts';
import type { Tunnel, TunnelEndpoint, TunnelPlace } from '../api.ts';

const WHY_LEFT = 'The server is about to stop';

/** A link that this replica holds, of a tunnel with as many requests at a time as it may have. */
export class HeldLink implements Way {
    readonly place: TunnelPlace;
    readonly owner: LinkOwner;
    readonly link: Link;
    /** The token that its agent came with: it is looked at again and again. */
    readonly token: string;
    tunnel: Tunnel;
    /** Settled when what its greeting brings about is done. */
    joined = Promise.resolve();
    /** The tunnel is connected by it. */
    isUp = false;
    /** Its agent is told to connect elsewhere; it takes requests until it has, or until it drains. */
    isLeaving = false;
    /** It takes nothing new, and what runs may finish. */
    isDraining = false;
    #running = 0;
    #told = '';
    #telling = Promise.resolve();

    constructor(parts: Pick<HeldLink, 'place' | 'owner' | 'link' | 'token' | 'tunnel'>) {
        this.place = parts.place;
        this.owner = parts.owner;
        this.link = parts.link;
        this.token = parts.token;
        this.tunnel = parts.tunnel;
    }

    get isReady(): boolean {
        return this.isUp && !this.isDraining && this.link.isOpen;
    }

    async send({ head, body, gone }: RelayRequest): Promise<RelayAnswer> {
        if (!this.isReady) throw new RelayFailure('moved');
        if (this.#running >= this.tunnel.config.maxConnections) throw new RelayFailure('busy');
        this.#running++;
        try {
            const answer = await this.link.request(head, body, gone);
            const whole = wholeBody(head.method, answer);
            if (whole) this.#running--;
            return {
                status: answer.status,
                headers: forClient(answer.headers),
                body: whole ?? this.#watched(asLongAsSaid(head.method, answer), gone),
            };
        } catch (error) {
            this.#running--;
            throw failureOf(error);
        }
    }

    /** It runs until it is read, or nobody reads it any more. */
    #watched(body: AsyncIterable<Uint8Array>, gone: AbortSignal): AsyncIterable<Uint8Array> {
        const watched = watchBody(body, { onEnd: () => this.#running--, toFailure: failureOf });
        // Nobody may ever read it.
        const drop = () =>
            void watched[Symbol.asyncIterator]()
                .return?.()
                .catch(() => undefined);
        gone.addEventListener('abort', drop, { once: true });
        if (gone.aborted) drop();
        return watched;
    }

    /**
     * Tells the agent what the tunnel's user has set, if that has changed; one after the other, so that what is told
     * last is what was read last.
     */
    tellSettings(read: () => Promise<TunnelEndpoint[]>): Promise<void> {
        const told = this.#telling.then(async () => {
            const endpoints = (await read()).map(({ id, url, priority, weight }) => ({ id, url, priority, weight }));
            const settings = { compression: this.tunnel.config.compression, endpoints };
            const text = JSON.stringify(settings);
            if (text === this.#told) return;
            this.link.settings(settings);
            this.#told = text;
        });
        this.#telling = told.catch(() => undefined);
        return told;
    }

    leave(): void {
        this.isLeaving = true;
        this.link.goAwaySoon(WHY_LEFT);
    }

    drain(): void {
        this.isDraining = true;
        this.link.goAway(WHY_LEFT);
    }
}

function failureOf(error: unknown): unknown {
    if (error instanceof StreamReset) return new RelayFailure(error.code, { cause: error });
    if (error instanceof LinkClosed) return new RelayFailure('lost', { cause: error });
    return error;
}
