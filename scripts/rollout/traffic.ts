import { get } from './ask.ts';
import { readyPods } from './cluster.ts';
import { readCounts, type Counts } from './exposition.ts';

import type { Forward, Kubectl } from './kubectl.ts';

/** What the pods of a version have counted, by pod. */
export type Look = Map<string, Counts>;

/** How a version did for a while. */
export interface Figures {
    requests: number;
    errors: number;
    /** Seconds that 95 of 100 requests took at most; null when none was measured. */
    p95: number | null;
}

export const METRICS_PORT = 9464;

export interface Follower {
    /** How the version did since it is followed. */
    since: () => Promise<Figures>;
    close: () => Promise<void>;
}

/** Follows what the pods of a deployment count that are ready now, `sample` of them at most. */
export async function follow(kubectl: Kubectl, deployment: string, sample: number): Promise<Follower> {
    const pods = (await readyPods(kubectl, deployment)).slice(0, sample);
    const ways = new Map<string, Forward>();
    const close = async (): Promise<void> => {
        await Promise.all([...ways.values()].map((way) => way.close()));
    };
    const ask = async (pod: string): Promise<Counts> => {
        const way = ways.get(pod) ?? (await kubectl.forward(pod, [METRICS_PORT]));
        ways.set(pod, way);
        const { text } = await get(`http://127.0.0.1:${way.local[METRICS_PORT]}/metrics`, process.env.METRICS_TOKEN);
        return readCounts(text);
    };
    /** A connection may break; a pod that is not there any more is left out. */
    const askAgain = async (pod: string): Promise<Counts | null> => {
        await ways.get(pod)?.close();
        ways.delete(pod);
        return (await readyPods(kubectl, deployment)).includes(pod) ? ask(pod) : null;
    };
    const look = async (asked: (pod: string) => Promise<Counts | null>): Promise<Look> => {
        const looks = await Promise.allSettled(pods.map(async (pod) => [pod, await asked(pod)] as const));
        const found = looks.flatMap((result) => {
            if (result.status === 'rejected') throw result.reason;
            const [pod, counts] = result.value;
            return counts ? [[pod, counts] as const] : [];
        });
        return new Map(found);
    };
    try {
        const before = await look(ask);
        const patiently = (pod: string) => ask(pod).catch(() => askAgain(pod));
        return { since: async () => between(before, await look(patiently)), close };
    } catch (error) {
        await close();
        throw error;
    }
}

/** What was counted between two looks, by the pods that are in both. */
export function between(before: Look, after: Look): Figures {
    const sum: Counts = { requests: 0, errors: 0, buckets: new Map() };
    for (const [pod, now] of after) {
        const then = before.get(pod);
        if (!then) continue;
        sum.requests += grown(then.requests, now.requests);
        sum.errors += grown(then.errors, now.errors);
        for (const [bound, count] of now.buckets) {
            const growth = grown(then.buckets.get(bound) ?? 0, count);
            sum.buckets.set(bound, (sum.buckets.get(bound) ?? 0) + growth);
        }
    }
    return { requests: sum.requests, errors: sum.errors, p95: quantile(sum.buckets, 0.95) };
}

/** A process that was started again counts from zero. */
const grown = (before: number, now: number): number => (now >= before ? now - before : now);

/** As Prometheus reckons it: within a bucket, requests are taken to be spread evenly. */
function quantile(buckets: Map<number, number>, share: number): number | null {
    const sorted = [...buckets].toSorted(([one], [other]) => one - other);
    const rank = share * (sorted.at(-1)?.[1] ?? 0);
    if (rank === 0) return null;
    let [lower, below] = [0, 0];
    for (const [bound, count] of sorted) {
        if (count >= rank) {
            return bound === Infinity ? lower : lower + ((bound - lower) * (rank - below)) / (count - below);
        }
        [lower, below] = [bound, count];
    }
    return lower;
}
