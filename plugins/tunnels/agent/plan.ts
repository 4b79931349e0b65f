import { serviceUrl, type AgentOptions, type TargetOptions } from './options.ts';

import type { EndpointHealth, LinkEndpoint } from '../link/types.ts';

/** A target by the name that the API knows it by: the id of an endpoint of the tunnel, or its own address. */
export interface NamedTarget extends TargetOptions {
    id: string;
}

/** Where requests go, and which endpoints of the tunnel they do not go to. */
export interface Plan {
    targets: NamedTarget[];
    unfollowed: EndpointHealth[];
}

const NOT_MANAGED = 'Not followed: start the agent with --managed';
const NO_SERVICE = 'Not followed: it is not the address of an HTTP service';

/**
 * What the agent makes of the endpoints that were named for the tunnel. They are addresses in its own network that
 * somebody elsewhere has chosen, so it follows them only when it was told to. Otherwise they say of its own targets
 * which comes first.
 */
export function planTargets({ targets: own, isManaged }: PlanOptions, endpoints: LinkEndpoint[]): Plan {
    const plan: Plan = { targets: [], unfollowed: [] };
    for (const endpoint of endpoints) {
        const url = serviceUrl(endpoint.url);
        const isFollowed = url !== null && (isManaged || own.some((target) => isSame(target.url, url)));
        if (isFollowed) plan.targets.push({ ...endpoint, url });
        else plan.unfollowed.push(sick(endpoint, url === null ? NO_SERVICE : NOT_MANAGED));
    }
    const areOwnLeft = !isManaged || endpoints.length === 0;
    const rest = own.filter(({ url }) => !plan.targets.some((target) => isSame(target.url, url)));
    return { ...plan, targets: areOwnLeft ? [...plan.targets, ...rest.map(byAddress)] : plan.targets };
}

type PlanOptions = Pick<AgentOptions, 'targets' | 'isManaged'>;

/** Whether two addresses are of one service: a slash at the end makes no difference. */
export const isSame = (one: URL, other: URL): boolean => one.origin === other.origin && baseOf(one) === baseOf(other);

/** Without a slash at its end. */
export const baseOf = (url: URL): string => url.pathname.replace(/\/+$/, '');

export const byAddress = (target: TargetOptions): NamedTarget => ({ id: target.url.href, ...target });

const sick = ({ id: endpoint }: LinkEndpoint, error: string): EndpointHealth => ({
    endpoint,
    isHealthy: false,
    latencyMs: null,
    error,
});
