import { askMember } from './ask-member.ts';
import { isApiError } from '../../src/http/errors.ts';

import type { ProxyMember } from './api.ts';
import type { MemberDiagnosis } from './public-proxy.ts';
import type { Proxies } from './service.ts';
import type { Clock } from '../../src/clock.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { Tunnel, TunnelService } from '../tunnels/api.ts';

export interface DiagnosisParts {
    proxies: Pick<Proxies, 'get'>;
    tunnels: Pick<TunnelService, 'get' | 'relay'>;
    clock: Clock;
}

/** Looks at the members of a proxy for somebody who wants to know why one does not answer; it changes nothing. */
export class Diagnosis {
    readonly #parts: DiagnosisParts;

    constructor(parts: DiagnosisParts) {
        this.#parts = parts;
    }

    /** @throws PROXY_NOT_FOUND */
    async of({ tenantId, userId }: Actor, proxyId: string): Promise<MemberDiagnosis[]> {
        const { proxies, tunnels, clock } = this.#parts;
        const user = { tenantId, userId };
        const { members, config } = await proxies.get(user, proxyId);
        const how = { path: config.healthPath, timeoutMs: config.healthTimeout };
        const diagnose = async ({ tunnelId }: ProxyMember): Promise<MemberDiagnosis> => {
            const tunnel = await tunnels.get(user, tunnelId, 'read').catch(absent);
            if (tunnel === null) return { tunnelId, ...NOT_FOUND };
            const answer = await askMember(tunnels.relay, user, tunnelId, how);
            const isAnswering = answer.error === null;
            return { tunnelId, isFound: true, isConnected: isConnected(tunnel, clock()), isAnswering, ...answer };
        };
        return Promise.all(members.map(diagnose));
    }
}

const NOT_FOUND = {
    isFound: false,
    isConnected: false,
    isAnswering: false,
    status: null,
    latencyMs: null,
    error: 'not_found',
};

/** One whose link nobody keeps any more has lost it. */
const isConnected = ({ status, linkUntil }: Tunnel, now: number): boolean =>
    status === 'connected' && (linkUntil === null || Date.parse(linkUntil) >= now);

function absent(error: unknown): null {
    if (isApiError(error, 'TUNNEL_NOT_FOUND')) return null;
    throw error;
}
