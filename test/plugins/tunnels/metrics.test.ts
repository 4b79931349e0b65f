import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { CallCounter } from '../../../plugins/tunnels/call-counter.ts';
import { ItemStore } from '../../../plugins/tunnels/item-store.ts';
import { MetricsStore, type Batch } from '../../../plugins/tunnels/metrics-store.ts';
import { relayMeter } from '../../../plugins/tunnels/relay-meter.ts';
import { TunnelStore } from '../../../plugins/tunnels/store.ts';
import { dollars } from '../../../src/money.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { Vault } from '../../../src/security/vault.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import { Metrics } from '../../../src/telemetry/metrics.ts';
import { startApp, startReplicas, testConfig, type TestApp } from '../../helpers/app.ts';
import { setCredit } from '../../helpers/credit.ts';
import { expectFaults } from '../../helpers/expect-error.ts';
import { setLimits, setPlan } from '../../helpers/limits.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newTunnel, portOf } from '../../helpers/tunnel.ts';
import { newUser } from '../../helpers/user.ts';

import type { EndedRelay } from '../../../plugins/tunnels/api.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const VAULT = new Vault(testConfig().VAULT_KEYS);
const DAY_MS = 86_400_000;
const GOOD: EndedRelay = { outcome: 'success', latencyMs: 10, bytesIn: 100, bytesOut: 1_000 };

let app: TestApp;
let ada: TestTenant;

before(async () => {
    app = await startApp();
});

beforeEach(async () => {
    ada = await newTenant(app);
});

after(() => app.stop());

const count = (tunnelId: string, call: EndedRelay, times = 1) => {
    for (let n = 0; n < times; n++) portOf(app).count({ tenantId: ada.tenantId, tunnelId }, call);
};
const metricsOf = async (path: string) => (await ada.call('GET', `/api/tunnels/${path}`)).body.data.metrics;

describe('GET /api/tunnels/{tunnelId}/metrics', () => {
    it('tells how many calls there were, how they ended, their bytes and how long they took', async () => {
        const id = await newTunnel(ada);
        const none = await metricsOf(`${id}/metrics?days=1`);
        expect(none).to.include({ requests: 0, errors: 0, p50Ms: null, p99Ms: null, histogram: [] });
        count(id, GOOD, 96);
        count(id, { ...GOOD, latencyMs: 500 }, 3);
        count(id, { outcome: 'timeout', latencyMs: 30_000, bytesIn: 5, bytesOut: 0 });
        count(id, { outcome: 'offline', latencyMs: 0, bytesIn: 0, bytesOut: 0 }, 2);
        await portOf(app).flush();
        const found = await metricsOf(`${id}/metrics?days=2`);
        expect(found).to.include({ requests: 102, successes: 99, errors: 3, bytesIn: 9_905, bytesOut: 99_000 });
        expect(found.errorsByKind).to.equal({ timeout: 1, offline: 2 });
        expect(Number(found.p50Ms)).to.be.within(9, 13.5);
        expect(found.p95Ms).to.equal(found.p50Ms);
        expect(Number(found.p99Ms)).to.be.within(499, 625);
        expect(found.histogram.map((bucket: { count: number }) => bucket.count)).to.equal([96, 3, 1]);
        expect(found.days).to.have.length(2);
        expect(found.days[0]).to.include({ requests: 102, successes: 99 });
        expect(found.days[0].date).to.match(/^\d{4}-\d\d-\d\d$/);
        expect(found.days[1]).to.include({ requests: 0 });
    });

    it('keeps the days apart, and loses none counted on two replicas', async () => {
        const [one, two] = await startReplicas({ config: { ACCESS_TOKEN_TTL: 400 * 86_400 } });
        const tenant = await newTenant(one);
        const place = { tenantId: tenant.tenantId, tunnelId: await newTunnel(tenant) };
        for (const replica of [one, two]) {
            for (let n = 0; n < 25; n++) portOf(replica).count(place, GOOD);
        }
        await Promise.all([portOf(one).flush(), portOf(two).flush()]);
        await one.advance(DAY_MS);
        portOf(one).count(place, GOOD);
        await portOf(one).flush();
        const { body } = await tenant.call('GET', `/api/tunnels/${place.tunnelId}/metrics`);
        const { metrics } = body.data;
        expect(metrics.requests).to.equal(51);
        expect(metrics.days.map(({ requests }: { requests: number }) => requests)).to.equal([1, 50, 0, 0, 0, 0, 0]);
        await one.stop();
        await two.stop();
    });

    it('refuses days that are not kept', async () => {
        const id = await newTunnel(ada);
        for (const days of [0, 91]) {
            expectFaults(await ada.call('GET', `/api/tunnels/${id}/metrics?days=${days}`), ['days']);
            expectFaults(await ada.call('GET', `/api/tunnels/metrics?days=${days}`), ['days']);
        }
    });

    it('has what was counted before the process stopped', async () => {
        const own = await startApp();
        const tenant = await newTenant(own);
        const place = { tenantId: tenant.tenantId, tunnelId: await newTunnel(tenant) };
        portOf(own).count(place, GOOD);
        own.drain.begin();
        await own.drain.finish(AbortSignal.timeout(5_000));
        portOf(own).count(place, GOOD);
        await own.stop();
        const key = `tenant:{${place.tenantId}}:tunnel:${place.tunnelId}:metrics:*`;
        const [day = ''] = await app.redis.keys(key);
        expect(await app.redis.hget(day, 'requests')).to.equal('2');
    });
});

describe('GET /api/tunnels/metrics', () => {
    it('tells of all tunnels of the user, also of those that are gone, and of nobody else’s', async () => {
        const [one, two] = [await newTunnel(ada, 'one'), await newTunnel(ada, 'two')];
        const bob = await newUser(app, ada.tenantId, 'user');
        const bobs = await newTunnel(bob, 'one');
        for (const id of [one, two, bobs]) count(id, GOOD, 2);
        await portOf(app).flush();
        await ada.call('DELETE', `/api/tunnels/${two}`);
        expect(await metricsOf('metrics')).to.include({ requests: 4, successes: 4, bytesOut: 4_000 });
        expect((await bob.call('GET', '/api/tunnels/metrics')).body.data.metrics.requests).to.equal(2);
        expect(await metricsOf(`${one}/metrics`)).to.include({ requests: 2 });
    });
});

describe('relayRefusal', () => {
    it('is so until the plan’s bytes of the month are used up, and again in the next month', async () => {
        const own = await startApp();
        const tenant = await newTenant(own);
        const { tenantId } = tenant;
        const place = { tenantId, tunnelId: await newTunnel(tenant) };
        const mayRelay = async () => {
            // What is cached is a second old at most.
            await own.advance(1_000);
            return (await portOf(own).relayRefusal(tenantId, tenant.userId)) === null;
        };
        await setLimits(own, tenantId, { relayedBytesPerMonth: 2_200 });
        portOf(own).count(place, GOOD);
        await portOf(own).flush();
        expect(await mayRelay()).to.be.true();
        portOf(own).count(place, GOOD);
        await portOf(own).flush();
        expect(await portOf(own).relayRefusal(tenantId, tenant.userId)).to.be.null();
        expect(await mayRelay()).to.be.false();
        await tenant.call('DELETE', `/api/tunnels/${place.tunnelId}`);
        expect(await mayRelay()).to.be.false();
        await own.advance(31 * DAY_MS);
        expect(await mayRelay()).to.be.true();
        await own.stop();
    });

    it('has no limit where the plan says none, and is not so for a tenant that is not there', async () => {
        await setPlan(app, ada.tenantId, 'enterprise');
        const id = await newTunnel(ada);
        count(id, { ...GOOD, bytesOut: 2_000_000_000_000 });
        await portOf(app).flush();
        await setCredit(app, ada.tenantId, dollars(100));
        expect(await portOf(app).relayRefusal(ada.tenantId, ada.userId)).to.be.null();
        const nobody = 'tenant_00000000000000000000000000';
        expect((await portOf(app).relayRefusal(nobody, ada.userId))?.data?.code).to.equal('QUOTA_EXCEEDED');
    });

    it('reads once for many who ask at once', async () => {
        const calls = async () => {
            const stats = await app.redis.info('commandstats');
            return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1]);
        };
        const before = await calls();
        await Promise.all(Array.from({ length: 200 }, () => portOf(app).relayRefusal(ada.tenantId, ada.userId)));
        expect((await calls()) - before).to.be.below(100);
    });
});

describe('CallCounter', () => {
    const place = { tenantId: 'tenant_a', tunnelId: 'tun_a' };
    const silent = createLogger({ level: 'silent', pretty: false });

    it('writes many calls of a tunnel in one go, by itself', async () => {
        const sent: Batch[] = [];
        const done = new Promise<void>((resolve) => {
            const store = {
                count: async (batch: Batch) => {
                    sent.push(batch);
                    resolve();
                },
            };
            const counter = new CallCounter(store, silent, relayMeter(new Metrics()));
            for (let n = 0; n < 1_000; n++) counter.count(place, GOOD);
            // The timer does not keep a process alive.
            setTimeout(() => undefined, 1_100);
        });
        await done;
        expect(sent).to.have.length(1);
        expect(sent[0]?.counts).to.include({ requests: 1_000, successes: 1_000, bytesIn: 100_000 });
        expect(sent[0]?.bytes).to.equal(1_100_000);
    });

    it('sends what could not be written again, as the same batch, and loses nothing by flushing twice at once', async () => {
        const sent: Batch[] = [];
        let isAway = true;
        const store = {
            count: async (batch: Batch) => {
                sent.push(batch);
                await Promise.resolve();
                if (isAway) throw new Error('away');
            },
        };
        const counter = new CallCounter(store, silent, relayMeter(new Metrics()));
        counter.count(place, GOOD);
        await counter.flush();
        counter.count(place, GOOD);
        isAway = false;
        await Promise.all([counter.flush(), counter.flush()]);
        const [first, again, second] = sent;
        expect(sent).to.have.length(3);
        expect(again?.id).to.equal(first?.id);
        expect(second?.id).to.not.equal(first?.id);
        expect(second?.counts.requests).to.equal(1);
        await counter.flush();
        expect(sent).to.have.length(3);
    });

    it('counts a batch once that is sent twice', async () => {
        const id = await newTunnel(ada);
        const { store } = app;
        const tunnels = new TunnelStore(store, VAULT, () => '');
        const items = new ItemStore(store, VAULT, () => '');
        const metrics = new MetricsStore(store, tunnels, items, (tenantId) => tenantKey(tenantId, 'info'));
        const batch = { id: 'one', place: { tenantId: ada.tenantId, tunnelId: id }, counts: { requests: 2 }, bytes: 9 };
        for (let times = 0; times < 3; times++) await metrics.count({ ...batch, uses: [] });
        expect((await metricsOf(`${id}/metrics`)).requests).to.equal(2);
        const [month = ''] = await app.redis.keys(`tenant:{${ada.tenantId}}:tunnels:relayed:*`);
        expect(await app.redis.get(month)).to.equal('9');
    });
});
