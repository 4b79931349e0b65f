/** HTTP headers in their order; names in lower case. */
export type Headers = [name: string, value: string][];

/** What is asked of the service behind a tunnel. */
export interface RequestHead {
    method: string;
    /** From `/` on, with the query, as it stands on the wire: the target's base path goes before it. */
    path: string;
    headers: Headers;
    /** Of the tunnel, by its id; the agent's first unless given. */
    endpoint?: string;
}

export interface ResponseHead {
    status: number;
    headers: Headers;
}

/** An answer on its way; `body` is read at the reader's pace, and nothing more is sent than the window allows. */
export interface LinkResponse extends ResponseHead {
    body: AsyncIterable<Uint8Array>;
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

/** A socket that carries whole binary messages: a `ws` WebSocket at both ends. */
export type { WebSocket as MessageSocket } from 'ws';
