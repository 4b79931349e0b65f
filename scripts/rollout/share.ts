import { scale, type Deployment, type Metadata } from './cluster.ts';
import { CheckError, ConflictError, messageOf } from './errors.ts';

import type { Kubectl } from './kubectl.ts';

interface BackendRef {
    name: string;
    weight?: number;
}

interface Route {
    metadata: Metadata;
    spec: { rules: { backendRefs?: BackendRef[] }[] };
    status?: { parents?: { conditions?: { type: string; status: string }[] }[] };
}

/** How a share of the requests gets to the canary. */
export interface Share {
    /** What is used for it, and what comes of that, in words. */
    words: string;
    /** Replicas that the canary needs. */
    replicas: number;
    /** Replicas that it may have before it was tested. */
    first: number;
    /** Gives it its share, or with 0 none. */
    set: (percent: number) => Promise<void>;
}

const ROUTE = 'httproute.gateway.networking.k8s.io';
const STABLE = 'api-stable';
const CANARY = 'api-canary';
const TRIES = 5;

/** By the weights of the route where the cluster has a gateway that takes it, by the number of replicas elsewhere. */
export async function shareOf(kubectl: Kubectl, stable: Deployment, percent: number): Promise<Share> {
    const total = Math.max(stable.spec.replicas, 1);
    const replicas = Math.max(1, Math.round((total * percent) / (100 - percent)));
    const missing = await whyNoRoute(kubectl);
    if (missing === null) {
        return {
            words: `by the weights of the route: ${percent} % of the requests`,
            replicas,
            first: replicas,
            set: (share) => setWeights(kubectl, share),
        };
    }
    const real = Math.round((1000 * replicas) / (replicas + total)) / 10;
    return {
        words: `by replicas, as ${missing}: ${replicas} of ${replicas + total}, which is ${real} % of the requests`,
        replicas,
        // It gets requests as soon as it is ready.
        first: 1,
        set: (share) => scale(kubectl, CANARY, share === 0 ? 0 : replicas),
    };
}

async function readRoute(kubectl: Kubectl): Promise<Route | null> {
    const text = await kubectl.read(['get', ROUTE, 'api', '-o', 'json', '--ignore-not-found']);
    return text.trim() === '' ? null : (JSON.parse(text) as Route);
}

/** Why the weights of a route would do nothing; null when they do. */
async function whyNoRoute(kubectl: Kubectl): Promise<string | null> {
    try {
        const route = await readRoute(kubectl);
        if (!route) return 'there is no HTTPRoute api';
        if (!route.spec.rules.some(hasBoth)) return `the HTTPRoute api does not lead to ${STABLE} and ${CANARY}`;
        const conditions = route.status?.parents?.flatMap((parent) => parent.conditions ?? []) ?? [];
        const isTaken = conditions.some(({ type, status }) => type === 'Accepted' && status === 'True');
        return isTaken ? null : 'no gateway has accepted the HTTPRoute api';
    } catch (error) {
        if (!/the server doesn't have a resource type/.test(messageOf(error))) throw error;
        return 'the cluster has no Gateway API';
    }
}

const hasBoth = ({ backendRefs = [] }: Route['spec']['rules'][number]): boolean =>
    [STABLE, CANARY].every((name) => backendRefs.some((backend) => backend.name === name));

async function setWeights(kubectl: Kubectl, percent: number): Promise<void> {
    const weights: Record<string, number> = { [STABLE]: 100 - percent, [CANARY]: percent };
    for (let tries = 1; ; tries++) {
        const route = await readRoute(kubectl);
        if (!route) throw new CheckError('The HTTPRoute api is gone.');
        const rules = route.spec.rules.map((rule) => ({
            ...rule,
            ...(rule.backendRefs && {
                backendRefs: rule.backendRefs.map((backend) => {
                    const weight = hasBoth(rule) ? weights[backend.name] : undefined;
                    return weight === undefined ? backend : { ...backend, weight };
                }),
            }),
        }));
        const { resourceVersion } = route.metadata;
        const patch = JSON.stringify({ metadata: { resourceVersion }, spec: { rules } });
        try {
            await kubectl.change(['patch', ROUTE, 'api', '--type=merge', '-p', patch]);
            return;
        } catch (error) {
            // Its gateway writes to it too.
            if (!(error instanceof ConflictError) || tries === TRIES) throw error;
        }
    }
}
