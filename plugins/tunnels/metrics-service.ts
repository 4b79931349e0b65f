import { boundOf, percentile, type Bucket } from './histogram.ts';

import type { Day, MetricsStore } from './metrics-store.ts';
import type { Tunnels } from './service.ts';
import type { Actor } from '../../src/types/actor.ts';

/** Figures of calls over some days. */
export interface CallFigures {
    requests: number;
    successes: number;
    errors: number;
    /** By what the calls ended with. */
    errorsByKind: Record<string, number>;
    bytesIn: number;
    bytesOut: number;
    /** To the end of the answer; null where there was no call. */
    p50Ms: number | null;
    p95Ms: number | null;
    p99Ms: number | null;
}

export interface TunnelMetrics extends CallFigures {
    days: (CallFigures & { date: string })[];
    histogram: Bucket[];
}

export interface MetricsParts {
    store: MetricsStore;
    tunnels: Pick<Tunnels, 'find'>;
}

/** What went through tunnels. */
export class MetricsService {
    readonly #parts: MetricsParts;

    constructor(parts: MetricsParts) {
        this.#parts = parts;
    }

    /** @throws TUNNEL_NOT_FOUND */
    async of(actor: Actor, tunnelId: string, days: number): Promise<TunnelMetrics> {
        await this.#parts.tunnels.find(actor, tunnelId, 'read');
        return metricsOf(await this.#parts.store.daysOf({ tenantId: actor.tenantId, tunnelId }, days));
    }

    /** Of all tunnels that the user has or had. */
    async ofAll({ tenantId, userId }: Actor, days: number): Promise<TunnelMetrics> {
        return metricsOf(await this.#parts.store.daysOfUser(tenantId, userId, days));
    }
}

function metricsOf(days: Day[]): TunnelMetrics {
    const all = new Map<string, number>();
    for (const { counts } of days) {
        for (const [field, amount] of counts) all.set(field, (all.get(field) ?? 0) + amount);
    }
    return {
        ...figuresOf(all),
        histogram: bucketsOf(all),
        days: days.map(({ date, counts }) => ({ date: date.replace(DATE, '$1-$2-$3'), ...figuresOf(counts) })),
    };
}

const DATE = /^(\d{4})(\d\d)(\d\d)$/;
const ERROR = 'error:';
const LATENCY = 'latency:';

function figuresOf(counts: Map<string, number>): CallFigures {
    const errors = [...counts].filter(([field]) => field.startsWith(ERROR));
    const of = (field: string) => counts.get(field) ?? 0;
    const buckets = bucketsOf(counts);
    return {
        requests: of('requests'),
        successes: of('successes'),
        errors: errors.reduce((sum, [, count]) => sum + count, 0),
        errorsByKind: Object.fromEntries(errors.map(([field, count]) => [field.slice(ERROR.length), count])),
        bytesIn: of('bytesIn'),
        bytesOut: of('bytesOut'),
        p50Ms: percentile(buckets, 0.5),
        p95Ms: percentile(buckets, 0.95),
        p99Ms: percentile(buckets, 0.99),
    };
}

const bucketsOf = (counts: Map<string, number>): Bucket[] =>
    [...counts]
        .filter(([field]) => field.startsWith(LATENCY))
        .map(([field, count]) => ({ upToMs: boundOf(Number(field.slice(LATENCY.length))), count }))
        .toSorted((one, other) => one.upToMs - other.upToMs);
