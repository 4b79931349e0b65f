import { askMember } from './ask-member.ts';
import { CHECK_LEASE_MS, type WatchStore } from './watch-store.ts';

import type { Proxy, ProxyMember, ProxyPlace } from './api.ts';
import type { Seen } from './member-health.ts';
import type { StateStore } from './state-store.ts';
import type { ProxyStore } from './store.ts';
import type { Clock } from '../../src/clock.ts';
import type { TunnelService } from '../tunnels/api.ts';

/** An idle proxy is looked at that often: it may have been woken by a process that died before it said so. */
const IDLE_LOOK_MS = 60_000;

export interface CheckParts {
    tunnels: Pick<TunnelService, 'relay'>;
    store: ProxyStore;
    state: StateStore;
    watch: WatchStore;
    clock: Clock;
}

/** Looks at the members of proxies. */
export class HealthChecks {
    readonly #parts: CheckParts;

    constructor(parts: CheckParts) {
        this.#parts = parts;
    }

    /** All members at once, as the owner. One that is as busy as it may be says nothing of its health. */
    async look(
        tenantId: string,
        { userId, members, config }: Proxy,
        { timeoutMs = config.healthTimeout, signal }: { timeoutMs?: number; signal?: AbortSignal } = {},
    ): Promise<Seen[]> {
        const user = { tenantId, userId };
        const how = { path: config.healthPath, timeoutMs, signal };
        const ask = async ({ tunnelId }: ProxyMember): Promise<Seen[]> => {
            const { latencyMs, error } = await askMember(this.#parts.tunnels.relay, user, tunnelId, how);
            if (error === 'busy') return [];
            return [error === null ? { tunnelId, isSuccess: true, latencyMs } : failed(tunnelId, latencyMs, error)];
        };
        return (await Promise.all(members.map(ask))).flat();
    }

    /** The check of a proxy that was taken under a lease; says when the next one is due: at once where it is given up. */
    async check(place: ProxyPlace, until: string, signal: AbortSignal): Promise<void> {
        const { store, state, watch, clock } = this.#parts;
        const { tenantId, proxyId } = place;
        const began = clock();
        const proxy = await store.records.find({ tenantId }, proxyId);
        if (proxy === null || proxy.desired === 'stopped') return watch.forget(place);
        if (proxy.status === 'stopped') return watch.release(place, until, IDLE_LOOK_MS);
        const seen = await this.look(tenantId, proxy, { signal });
        if (signal.aborted) return watch.release(place, until, 0);
        // Held up for so long, it is somebody else's by now.
        if (clock() - began >= CHECK_LEASE_MS) return;
        const next = await state.apply(place, seen);
        // Stopped meanwhile: the next look sees by whom.
        await watch.release(place, until, next ?? 0);
    }
}

const failed = (tunnelId: string, latencyMs: number | null, error: string): Seen => ({
    tunnelId,
    isSuccess: false,
    latencyMs,
    error,
});
