import type { Duplex } from 'node:stream';
import type { Inbox } from './inbox.ts';
import type { RequestHead as RelayHead, ResponseHead } from '../../../src/relay/types.ts';

export type { Headers, RelayAnswer, ResponseHead } from '../../../src/relay/types.ts';

/** What is asked of the service behind a tunnel. */
export interface RequestHead extends RelayHead {
    /** Of the tunnel, by its id; the agent's first unless given. */
    endpoint?: string;
}

/** An answer at the gateway's side. */
export interface LinkAnswer extends ResponseHead {
    body: Inbox;
}

/** A request at the agent's side. */
export interface LinkRequest extends RequestHead {
    body: AsyncIterable<Uint8Array>;
    /** Aborted when the other side does not want the answer any more, or the link is gone. */
    gone: AbortSignal;
    /** Once. */
    respond(head: ResponseHead, body: AsyncIterable<Uint8Array>): Promise<void>;
    /** Ends it without an answer (any more). */
    fail(code: ResetCode): void;
}

export type ResetCode = 'cancelled' | 'refused' | 'unreachable' | 'timeout' | 'protocol' | 'too_large' | 'internal';

/** How a target is. */
export interface EndpointHealth {
    endpoint: string;
    isHealthy: boolean;
    latencyMs: number | null;
    error?: string;
}

export interface Hello {
    version: 1;
    agent: string;
    endpoints: { id: string; priority: number; weight: number }[];
}

/** What the tunnel's user has set that is the agent's to follow. */
export interface LinkSettings {
    /** Answers are compressed on their way, where that can be. */
    compression: boolean;
    /** Where requests are to go; `url` as it was given. */
    endpoints: LinkEndpoint[];
}

export interface LinkEndpoint {
    id: string;
    url: string;
    priority: number;
    weight: number;
}

/** What a socket goes over: it can keep what is written, and write it in one piece. */
export type Transport = Pick<Duplex, 'cork' | 'uncork'>;

/** A socket that carries whole binary messages: a `ws` WebSocket at both ends. */
export type { WebSocket as MessageSocket } from 'ws';
