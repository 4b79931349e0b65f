import { TOKEN_GONE } from './link/close-codes.ts';
import { skipped, type Probe } from './link/diagnosis.ts';

import type { Tunnel } from './api.ts';
import type { LinkDiagnosis } from './gateway/diagnose-link.ts';
import type { Gateway } from './gateway/open-gateway.ts';
import type { LinkStore } from './link-store.ts';
import type { Tunnels } from './service.ts';
import type { Clock } from '../../src/clock.ts';
import type { Actor } from '../../src/types/actor.ts';

/** One test of a tunnel. */
export interface Check extends Probe {
    name: 'agentConnection' | 'authentication' | 'nameResolution' | 'upstream';
    /** Of the tunnel by its id, of the agent by its address; null: it is not about one. */
    endpoint: string | null;
}

export interface TunnelDiagnostics {
    checkedAt: string;
    checks: Check[];
}

export interface DiagnosticsParts {
    tunnels: Pick<Tunnels, 'find'>;
    links: Pick<LinkStore, 'inStanding'>;
    clock: Clock;
    diagnose: Gateway['diagnose'];
}

const NO_AGENT = 'No agent is connected';
const NOT_TOLD = 'The agent did not tell';

/** Tests a tunnel step by step, so that it shows where requests stop. */
export class Diagnostics {
    readonly #parts: DiagnosticsParts;

    constructor(parts: DiagnosticsParts) {
        this.#parts = parts;
    }

    /** Takes ten seconds at most. @throws TUNNEL_NOT_FOUND */
    async run(actor: Actor, tunnelId: string): Promise<TunnelDiagnostics> {
        const { tunnels, links, clock, diagnose } = this.#parts;
        const { tunnel } = await tunnels.find(actor, tunnelId, 'read');
        const place = { tenantId: actor.tenantId, tunnelId };
        const checkedAt = new Date(clock()).toISOString();
        const [found, standing] = await Promise.all([diagnose(place), links.inStanding(place)]);
        const agentConnection = found?.agentConnection ?? failed(lastWord(tunnel));
        const checks: Check[] = [
            { name: 'agentConnection', endpoint: null, ...agentConnection },
            { name: 'authentication', endpoint: null, ...authentication(tunnel, found, standing !== null) },
            ...targets(found),
        ];
        return { checkedAt, checks };
    }
}

function authentication(tunnel: Tunnel, found: LinkDiagnosis | null, isInStanding: boolean): Probe {
    if (!isInStanding) return failed('Its owner, or the tenant, is suspended');
    if (tunnel.desired === 'stopped') return failed('The tunnel is stopped: start it first');
    if (found === null && tunnel.reason === TOKEN_GONE) return failed(lastWord(tunnel));
    return found?.authentication ?? skipped(lastWord(tunnel));
}

/** Of each target of the agent; without any of them once, with why. */
function targets(found: LinkDiagnosis | null): Check[] {
    const told = found?.targets ?? [];
    if (told.length > 0) {
        return told.flatMap(({ endpoint, nameResolution, upstream }): Check[] => [
            { name: 'nameResolution', endpoint, ...nameResolution },
            { name: 'upstream', endpoint, ...upstream },
        ]);
    }
    const probe = noTargets(found);
    return [
        { name: 'nameResolution', endpoint: null, ...skipped(probe.message) },
        { name: 'upstream', endpoint: null, ...probe },
    ];
}

function noTargets(found: LinkDiagnosis | null): Probe {
    if (found === null || found.agentConnection.status === 'failed') return skipped(NO_AGENT);
    return failed(found.targets === null ? NOT_TOLD : 'The agent has nowhere to send requests to');
}

/** Why there is no link, as far as that is known. */
function lastWord({ connectedAt, reason }: Tunnel): string {
    if (connectedAt === null) return `${NO_AGENT}, and none ever was`;
    return reason === null ? NO_AGENT : `${NO_AGENT}; the last connection ended: ${reason}`;
}

const failed = (message: string): Probe => ({ status: 'failed', durationMs: null, message });
