import { bucketsOf, figuresOf, isoDate, sumOf, type CallFigures } from '../../src/relay/call-figures.ts';

import type { Day, MetricsStore } from './metrics-store.ts';
import type { Tunnels } from './service.ts';
import type { Bucket } from '../../src/relay/histogram.ts';
import type { Actor } from '../../src/types/actor.ts';

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
    const all = sumOf(days);
    return {
        ...figuresOf(all),
        histogram: bucketsOf(all),
        days: days.map(({ date, counts }) => ({ date: isoDate(date), ...figuresOf(counts) })),
    };
}
