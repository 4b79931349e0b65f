import { CapacityStore } from './capacity-store.ts';
import { Capacity } from './capacity.ts';
import { MemberNotes } from './member-notes.ts';
import { MetricsService } from './metrics-service.ts';
import { MetricsStore } from './metrics-store.ts';
import { RelayService } from './relay-service.ts';
import { getMetrics } from './routes/get-metrics.ts';
import { TrafficCounter } from './traffic-counter.ts';
import { relayRoute } from '../../../src/relay/relay-route.ts';
import { TUNNEL_ERRORS, type TunnelService } from '../../tunnels/api.ts';

import type { Server } from '@hapi/hapi';
import type { ErrorCode } from '../../../src/http/errors.ts';
import type { Platform } from '../../../src/platform.ts';
import type { ProxyLoad, ProxyPlace, ProxyRecords, ProxyService } from '../api.ts';

/** How long what lasts; in milliseconds. */
export interface TrafficTimings {
    /** In line. */
    waitMs: number;
    /** A lease that nobody renews, and how often it is renewed. */
    leaseMs: number;
    renewMs: number;
    /** A place in line that nobody keeps, and how often it is kept. */
    placeMs: number;
    pollMs: number;
    /** All tries of a request, but for a first one that may last longer by the proxy's timeout. */
    budgetMs: number;
}

const TIMINGS: TrafficTimings = {
    waitMs: 30_000,
    leaseMs: 30_000,
    renewMs: 10_000,
    placeMs: 5_000,
    pollMs: 1_000,
    budgetMs: 60_000,
};

/** What a request through a proxy fails with. */
const RELAY_ERRORS: ErrorCode[] = [
    'PROXY_NOT_FOUND',
    'PROXY_STOPPED',
    'PROXY_BUSY',
    'PROXY_OFFLINE',
    'SHUTTING_DOWN',
    ...TUNNEL_ERRORS,
];

export interface TrafficParts {
    records: ProxyRecords;
    tunnels: Pick<TunnelService, 'relay'>;
}

/** What the rest of proxies, and other features, have of the traffic. */
export interface Traffic extends Pick<ProxyService, 'relay'> {
    load: (place: ProxyPlace) => Promise<ProxyLoad>;
    /** Removes the figures of a proxy that was deleted. */
    forget: (place: ProxyPlace) => Promise<void>;
    /** Writes down what was counted so far. Never fails. */
    flush: () => Promise<void>;
}

/** The traffic of proxies, with its routes. */
export function openTraffic(
    server: Server,
    platform: Platform,
    { records, tunnels }: TrafficParts,
    changed: Partial<TrafficTimings> = {},
): Traffic {
    const { store, signals, logger, drain } = platform;
    const { waitMs, leaseMs, renewMs, placeMs, pollMs, budgetMs } = { ...TIMINGS, ...changed };
    const capacityStore = new CapacityStore(store, { leaseMs, placeMs });
    const capacity = new Capacity({ records, store: capacityStore, signals, logger, drain, waitMs, pollMs, renewMs });
    const metricsStore = new MetricsStore(store, (place) => records.key(place));
    const counter = new TrafficCounter(metricsStore, logger);
    const notes = new MemberNotes(records, logger);
    const count = counter.count.bind(counter);
    const relays = new RelayService({ records, tunnels, capacity, notes, count, budgetMs, random: Math.random });

    server.route(
        relayRoute({
            summary: 'Send a request through a proxy',
            records: 'proxies',
            param: 'proxyId',
            idPrefix: 'proxy',
            auth: { access: { scope: 'proxy:read' } },
            errors: RELAY_ERRORS,
            relay: relays.relay,
        }),
    );
    server.route(getMetrics(new MetricsService({ store: metricsStore, records })));
    server.ext('onPreStart', () => capacity.start());
    // Running calls go on up to the deadline; who waits is better off on another replica.
    server.ext('onPreStop', () => capacity.close());
    server.ext('onPostStop', async () => {
        await capacity.stop();
        await counter.flush();
    });
    return {
        relay: relays.relay,
        load: (place) => capacityStore.load(place),
        forget: (place) => metricsStore.forget(place),
        flush: () => counter.flush(),
    };
}
