import { placeName } from './capacity-store.ts';
import { Batches } from '../../../src/relay/batches.ts';
import { addCall, addTo } from '../../../src/relay/call-figures.ts';

import type { Batch, MetricsStore } from './metrics-store.ts';
import type { EndedCall } from './proxy-call.ts';
import type { Logger } from '../../../src/telemetry/logger.ts';
import type { ProxyPlace } from '../api.ts';

/** Counts calls in the process, and has them written down once a second and proxy. */
export class TrafficCounter {
    readonly #batches: Batches<Omit<Batch, 'id'>>;

    constructor(store: Pick<MetricsStore, 'count'>, logger: Logger) {
        this.#batches = new Batches({ write: (batch) => store.count(batch), logger, module: 'proxies' });
    }

    count({ tenantId, proxyId }: ProxyPlace, { outcome, latencyMs, hasWaited, tries }: EndedCall): void {
        const place = { tenantId, proxyId };
        const { counts, members } = this.#batches.of(placeName(place), () => ({ place, counts: {}, members: {} }));
        const bytesIn = tries.reduce((sum, tried) => sum + tried.bytesIn, 0);
        const bytesOut = tries.reduce((sum, tried) => sum + tried.bytesOut, 0);
        addCall(counts, { outcome, latencyMs, bytesIn, bytesOut });
        addTo(counts, { retries: Math.max(0, tries.length - 1), waited: hasWaited ? 1 : 0 });
        for (const { tunnelId, ...tried } of tries) addCall(members, tried, `${tunnelId}:`);
    }

    /** Writes down what was counted so far. Never fails. */
    flush(): Promise<void> {
        return this.#batches.flush();
    }
}
