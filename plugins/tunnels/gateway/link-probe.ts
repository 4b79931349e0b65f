import { diagnoseLink, undiagnosed, type LinkDiagnosis } from './diagnose-link.ts';
import { RemoteLink, type RemoteParts } from './remote-link.ts';
import { RelayFailure } from './way.ts';

import type { Links } from './links.ts';
import type { LinkOwner, RegistryStore } from './registry-store.ts';
import type { TunnelPlace, TunnelRecords } from '../api.ts';

const LATE_MS = 9_000;
const UNREACHABLE = 'The connection of the agent could not be asked';

export interface ProbeParts {
    tunnels: TunnelRecords;
    links: Links;
    registry: RegistryStore;
    /** Null: this replica reaches no other. */
    remote: RemoteParts | null;
}

/** Finds out how links are, on whichever replica. */
export class LinkProbe {
    readonly #parts: ProbeParts;

    constructor(parts: ProbeParts) {
        this.#parts = parts;
    }

    /** Null: there is no link. Takes nine seconds at most. */
    readonly diagnose = async (place: TunnelPlace): Promise<LinkDiagnosis | null> => {
        const { links, registry, tunnels } = this.#parts;
        const late = AbortSignal.timeout(LATE_MS);
        let asked: LinkOwner | null = null;
        // The link may go elsewhere while it is looked for: that may be looked up once more.
        for (let times = 0; times < 2; times++) {
            const here = links.find(place);
            if (here) return diagnoseLink(here, tunnels);
            const owner = await registry.find(place);
            if (owner === null) return null;
            if (owner.connectionId === asked?.connectionId) break;
            asked = owner;
            const found = await this.#ask(place, owner, late);
            if (found) return found;
        }
        return undiagnosed(UNREACHABLE);
    };

    /** Null: it is not there any more. */
    async #ask(place: TunnelPlace, owner: LinkOwner, late: AbortSignal): Promise<LinkDiagnosis | null> {
        const { remote } = this.#parts;
        if (remote === null || owner.address === '') return undiagnosed(UNREACHABLE);
        return new RemoteLink(place, owner, remote).diagnose(late).catch((error: unknown) => {
            if (!(error instanceof RelayFailure)) throw error;
            return error.fault === 'moved' ? null : undiagnosed(UNREACHABLE);
        });
    }
}
