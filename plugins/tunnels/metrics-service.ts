import { bucketsOf, figuresOf, isoDate, sumOf, type CallFigures } from '../../src/relay/call-figures.ts';
import { limitsOf } from '../tenants/api.ts';

import type { Day, MetricsStore } from './metrics-store.ts';
import type { Tunnels } from './service.ts';
import type { Clock } from '../../src/clock.ts';
import type { Bucket } from '../../src/relay/histogram.ts';
import type { Actor } from '../../src/types/actor.ts';

const RELAY_CACHE_MS = 1_000;
const MOST_CACHED = 10_000;

export interface TunnelMetrics extends CallFigures {
    days: (CallFigures & { date: string })[];
    histogram: Bucket[];
}

export interface MetricsParts {
    store: MetricsStore;
    tunnels: Pick<Tunnels, 'find'>;
    clock: Clock;
}

/** What went through tunnels, and whether more may. */
export class MetricsService {
    readonly #parts: MetricsParts;
    readonly #mayRelay = new Map<string, { until: number; answer: Promise<boolean> }>();

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

    mayRelay(tenantId: string): Promise<boolean> {
        const now = this.#parts.clock();
        const known = this.#mayRelay.get(tenantId);
        if (known && known.until > now) return known.answer;
        if (this.#mayRelay.size >= MOST_CACHED) this.#mayRelay.clear();
        const answer = this.#hasRoom(tenantId);
        this.#mayRelay.set(tenantId, { until: now + RELAY_CACHE_MS, answer });
        // A failure is not kept.
        answer.catch(() => this.#mayRelay.delete(tenantId));
        return answer;
    }

    async #hasRoom(tenantId: string): Promise<boolean> {
        const { bytes, plan, limits } = await this.#parts.store.relayed(tenantId);
        if (plan === '') return false;
        const most = limitsOf(plan, limits).relayedBytesPerMonth;
        return most === null || bytes < most;
    }
}

function metricsOf(days: Day[]): TunnelMetrics {
    const all = sumOf(days);
    return {
        ...figuresOf(all),
        histogram: bucketsOf(all),
        days: days.map(({ date, counts }) => ({ date: isoDate(date), ...figuresOf(counts) })),
    };
}
