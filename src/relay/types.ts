/** HTTP headers in their order; names in lower case. */
export type Headers = [name: string, value: string][];

/** What is asked of a service that a request is sent on to. */
export interface RequestHead {
    method: string;
    /** From `/` on, with the query, as it stands on the wire: the service's base path goes before it. */
    path: string;
    headers: Headers;
}

export interface ResponseHead {
    status: number;
    headers: Headers;
}

/** An answer on its way; `body` is read at the reader's pace. */
export interface RelayAnswer extends ResponseHead {
    body: AsyncIterable<Uint8Array>;
}

/** A request on its way to a service. */
export interface RelayRequest {
    head: RequestHead;
    /** Null: it has none. */
    body: AsyncIterable<Uint8Array> | null;
    /** Aborted when nobody wants the answer any more. */
    gone: AbortSignal;
}
