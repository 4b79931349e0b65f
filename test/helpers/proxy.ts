import { setCredit } from './credit.ts';
import { setPlan } from './limits.ts';
import { silentLogger, testVault } from './store.ts';
import { newTenant, type TestTenant } from './tenant.ts';
import { newTunnel } from './tunnel.ts';
import { HealthChecks } from '../../plugins/proxies/health-checks.ts';
import { StateStore } from '../../plugins/proxies/state-store.ts';
import { ProxyStore } from '../../plugins/proxies/store.ts';
import { WatchStore } from '../../plugins/proxies/watch-store.ts';
import { Watcher } from '../../plugins/proxies/watcher.ts';
import { Drain } from '../../src/drain.ts';
import { dollars } from '../../src/money.ts';
import { tenantKey } from '../../src/redis/keys.ts';

import type { Answer, CallOptions, TestApp } from './app.ts';
import type { Proxy, ProxyLoad, ProxyPlace, ProxyRecords } from '../../plugins/proxies/api.ts';
import type { TunnelService } from '../../plugins/tunnels/api.ts';

interface Caller {
    call: (method: string, url: string, options?: CallOptions) => Promise<Answer>;
}

export const NOBODYS_PROXY = 'proxy_00000000000000000000000000';

/** The admin of a fresh tenant whose plan has proxies, with credits for what goes through its tunnels. */
export async function newProxyTenant(app: TestApp, plan: 'premium' | 'enterprise' = 'premium'): Promise<TestTenant> {
    const tenant = await newTenant(app);
    await setPlan(app, tenant.tenantId, plan);
    await setCredit(app, tenant.tenantId, dollars(1));
    return tenant;
}

/** A new proxy of a user, in front of those tunnels. */
export async function newProxy(user: Caller, tunnelIds: string[], more: object = {}): Promise<Proxy> {
    const members = tunnelIds.map((tunnelId) => ({ tunnelId }));
    const answer = await user.call('POST', '/api/proxies', { payload: { name: 'ollama', members, ...more } });
    if (answer.status !== 201) throw new Error(`Not made: ${answer.text}`);
    return answer.body.data.proxy;
}

/** A proxy in front of so many new tunnels. */
export async function newProxyWith(user: Caller, count: number, more: { config?: object; name?: string } = {}) {
    const tunnelIds: string[] = [];
    for (let n = 0; n < count; n++) tunnelIds.push(await newTunnel(user, `${more.name ?? 'tunnel'}-${n}`));
    const proxy = await newProxy(user, tunnelIds, more);
    return { proxy, id: proxy.id, tunnelIds };
}

export const recordsOf = (app: TestApp): ProxyRecords => app.server.plugins.proxies;

/** Every key of a tenant's proxies, but for events, audit and the like. */
export async function proxyKeys(app: TestApp, tenantId: string): Promise<string[]> {
    const keys = await app.redis.keys(tenantKey(tenantId, '*'));
    return keys.filter((key) => /:prox(y|ies)/.test(key) && !/:rate:|:idempotency:/.test(key)).toSorted();
}

/** Services behind tunnels, as the relay finds them: up unless they are named, by their tunnels. */
export class StandInRelay {
    readonly down = new Set<string>();
    /** Each request, by its tunnel. */
    readonly asked: string[] = [];
    /** What is waited for before an answer. */
    during: () => Promise<unknown> = async () => undefined;
    /** Of a service that is down; 0: an error in place of an answer. */
    status = 503;

    relay: TunnelService['relay'] = async (_user, tunnelId) => {
        this.asked.push(tunnelId);
        await this.during();
        const isDown = this.down.has(tunnelId);
        if (isDown && this.status === 0) throw new Error('The relay broke');
        const body = (async function* () {
            yield Buffer.from('It is up');
        })();
        return { status: isDown ? this.status : 200, headers: [], body };
    };
}

/** What one more process would look at proxies with. */
export function newWatcher(
    app: TestApp,
    relay: StandInRelay,
    load: (place: ProxyPlace) => Promise<ProxyLoad> = async () => ({ active: 0, waiting: 0 }),
    clock = Date.now,
) {
    const { tenants, users } = app.server.plugins;
    const tenant = (tenantId: string) => tenants.key(tenantId);
    const store = new ProxyStore(app.store, testVault(), tenant);
    const state = new StateStore(app.store, {
        tiers: tenants.tiers,
        tenant,
        user: (tenantId, userId) => users.key(tenantId, userId),
    });
    const watch = new WatchStore(app.store);
    const checks = new HealthChecks({ tunnels: relay, store, state, watch, clock });
    const drain = new Drain();
    const watcher = new Watcher({ watch, checks, state, load, drain, logger: silentLogger });
    return { store, state, watch, checks, drain, look: () => watcher.look(), stop: () => watcher.stop() };
}
