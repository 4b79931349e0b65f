import type { RelayAnswer, RelayRequest } from '../../../src/relay/types.ts';
import type { ResetCode } from '../link/types.ts';

/** A link of a tunnel, here or on another replica. */
export interface Way {
    /** @throws RelayFailure */
    send(request: RelayRequest): Promise<RelayAnswer>;
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
