import { Batches } from '../../src/relay/batches.ts';
import { addCall, addTo } from '../../src/relay/call-figures.ts';

import type { EndedRelay, TunnelPlace } from './api.ts';
import type { Batch, MetricsStore, ShareUse } from './metrics-store.ts';
import type { RelayMeter } from './relay-meter.ts';
import type { Logger } from '../../src/telemetry/logger.ts';

/** Counts calls in the process, and has them written down once a second and tunnel. */
export class CallCounter {
    readonly #batches: Batches<Omit<Batch, 'id'>>;
    readonly #meter: RelayMeter;

    constructor(store: Pick<MetricsStore, 'count'>, logger: Logger, meter: RelayMeter) {
        this.#meter = meter;
        this.#batches = new Batches({ write: (batch) => store.count(batch), logger, module: 'tunnels' });
    }

    count(place: TunnelPlace, call: EndedRelay): void {
        const batch = this.#batchOf(place);
        addCall(batch.counts, call);
        this.#meter.ended(call.outcome);
        this.#meter.relayed(call);
        batch.bytes += call.bytesIn + call.bytesOut;
    }

    /** What a call that runs has relayed. */
    countBytes(place: TunnelPlace, { bytesIn, bytesOut }: Pick<EndedRelay, 'bytesIn' | 'bytesOut'>): void {
        const batch = this.#batchOf(place);
        this.#meter.relayed({ bytesIn, bytesOut });
        addTo(batch.counts, { bytesIn, bytesOut });
        batch.bytes += bytesIn + bytesOut;
    }

    /** Notes a call by a share. */
    use(place: TunnelPlace, shareId: string, isToken: boolean): void {
        const { uses } = this.#batchOf(place);
        const use = uses.find((known) => known.shareId === shareId);
        if (use) use.count += 1;
        else uses.push({ shareId, count: 1, isToken } satisfies ShareUse);
    }

    /** Writes down what was counted so far. Never fails. */
    flush(): Promise<void> {
        return this.#batches.flush();
    }

    #batchOf({ tenantId, tunnelId }: TunnelPlace): Omit<Batch, 'id'> {
        const place = { tenantId, tunnelId };
        return this.#batches.of(`${tenantId}/${tunnelId}`, () => ({ place, counts: {}, bytes: 0, uses: [] }));
    }
}
