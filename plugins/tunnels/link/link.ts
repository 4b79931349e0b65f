import { HEARTBEAT, LINK_LIMITS, type HeartbeatTimes, type LinkLimits } from './limits.ts';
import { LinkClosed } from './link-errors.ts';

import type { EndpointHealth, Hello, LinkRequest, LinkResponse, MessageSocket, RequestHead } from './types.ts';

export { LinkClosed, StreamReset } from './link-errors.ts';

export interface LinkOptions {
    heartbeat?: HeartbeatTimes;
    /** Other limits than the usual ones; both ends must have the same. */
    limits?: Partial<LinkLimits>;
    /** The agent's side. */
    onRequest?: (request: LinkRequest) => void;
    /** The gateway's side. */
    onHello?: (hello: Hello) => void;
    /** The gateway's side. */
    onHealth?: (health: EndpointHealth[]) => void;
    /** The agent's side: connect elsewhere, this link drains. */
    onGoAway?: (reason: string) => void;
}

/** One end of the connection between an agent and the gateway; it carries many requests at a time. */
export class Link {
    readonly closed: Promise<{ code: number; reason: string }>;
    readonly bytes = { in: 0, out: 0 };
    readonly #socket: MessageSocket;
    readonly #side: 'agent' | 'gateway';
    readonly #options: LinkOptions;
    readonly #limits: LinkLimits;
    readonly #heartbeat: HeartbeatTimes;

    constructor(socket: MessageSocket, side: 'agent' | 'gateway', options: LinkOptions) {
        this.#socket = socket;
        this.#side = side;
        this.#options = options;
        this.#limits = { ...LINK_LIMITS, ...options.limits };
        this.#heartbeat = options.heartbeat ?? HEARTBEAT;
        this.closed = new Promise((resolve) => {
            socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
        });
    }

    get isOpen(): boolean {
        return this.#socket.readyState === this.#socket.OPEN;
    }

    /** How many requests are on their way. */
    get streams(): number {
        return 0;
    }

    hello(_hello: Hello): void {}

    health(_health: EndpointHealth[]): void {}

    /** @throws LinkClosed, StreamReset; an aborted signal resets the stream at the other side at once */
    async request(
        _head: RequestHead,
        _body: AsyncIterable<Uint8Array> | null,
        _signal: AbortSignal,
    ): Promise<LinkResponse> {
        throw new LinkClosed(1006, `${this.#side} ${this.#limits.streams} ${this.#heartbeat.everyMs}`, false);
    }

    /** No new streams; when the running ones have finished, the link is closed. */
    goAway(_reason: string): void {
        this.#options.onGoAway?.('');
    }

    close(code: number, reason: string): void {
        this.#socket.close(code, reason);
    }
}
