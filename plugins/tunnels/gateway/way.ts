import type { LinkResponse, RequestHead, ResetCode } from '../link/types.ts';

/** A request for the service behind a tunnel, on its way there. */
export interface RelayedRequest {
    head: RequestHead;
    /** Null: it has none. */
    body: AsyncIterable<Uint8Array> | null;
    /** Aborted when nobody wants the answer any more. */
    gone: AbortSignal;
}

/** A link of a tunnel, here or on another replica. */
export interface Way {
    /** @throws RelayFailure */
    send(request: RelayedRequest): Promise<LinkResponse>;
}

/**
 * Why a request got no answer. `offline`: there is no link, or nothing can be sent over it; `moved`: the link is not
 * where it was looked for; `busy`: it carries as much as it may; `lost`: it broke in the middle.
 */
export type RelayFault = ResetCode | 'offline' | 'moved' | 'busy' | 'lost';

/** A request that got no answer, or not the whole of it. */
export class RelayFailure extends Error {
    readonly fault: RelayFault;

    constructor(fault: RelayFault, options?: ErrorOptions) {
        super(`The relay failed: ${fault}`, options);
        this.fault = fault;
    }
}
