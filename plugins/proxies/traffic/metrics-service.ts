import { bucketsOf, figuresOf, isoDate, sumOf, type CallFigures } from '../../../src/relay/call-figures.ts';

import type { MetricsStore } from './metrics-store.ts';
import type { Bucket } from '../../../src/relay/histogram.ts';
import type { ProxyRecords, ProxyUser } from '../api.ts';

/** Figures of requests through a proxy; the latencies are what clients waited. */
export interface ProxyFigures extends CallFigures {
    /** Tries after the first. */
    retries: number;
    /** Requests that were in line. */
    waited: number;
}

/** Figures of the tries to reach a member. */
export interface MemberFigures extends CallFigures {
    tunnelId: string;
}

export interface ProxyMetrics extends ProxyFigures {
    histogram: Bucket[];
    days: (ProxyFigures & { date: string })[];
    /** Also of those that were members. */
    members: MemberFigures[];
}

export interface MetricsParts {
    store: MetricsStore;
    records: Pick<ProxyRecords, 'get'>;
}

/** What went through proxies. */
export class MetricsService {
    readonly #parts: MetricsParts;

    constructor(parts: MetricsParts) {
        this.#parts = parts;
    }

    /** @throws PROXY_NOT_FOUND */
    async of(user: ProxyUser, proxyId: string, days: number): Promise<ProxyMetrics> {
        const { records, store } = this.#parts;
        const { members: current } = await records.get(user, proxyId);
        const counted = await store.read({ tenantId: user.tenantId, proxyId }, days);
        const all = sumOf(counted.days);
        const tunnels = new Set([...current.map(({ tunnelId }) => tunnelId), ...counted.members.keys()]);
        return {
            ...proxyFiguresOf(all),
            histogram: bucketsOf(all),
            days: counted.days.map(({ date, counts }) => ({ date: isoDate(date), ...proxyFiguresOf(counts) })),
            members: [...tunnels].map((tunnelId) => ({
                tunnelId,
                ...figuresOf(counted.members.get(tunnelId) ?? new Map<string, number>()),
            })),
        };
    }
}

const proxyFiguresOf = (counts: Map<string, number>): ProxyFigures => ({
    ...figuresOf(counts),
    retries: counts.get('retries') ?? 0,
    waited: counts.get('waited') ?? 0,
});
