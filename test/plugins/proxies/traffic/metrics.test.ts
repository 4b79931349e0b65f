import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { MetricsStore, type Batch } from '../../../../plugins/proxies/traffic/metrics-store.ts';
import { TrafficCounter } from '../../../../plugins/proxies/traffic/traffic-counter.ts';
import { RelayFailure, type TunnelService } from '../../../../plugins/tunnels/api.ts';
import { apiError } from '../../../../src/http/errors.ts';
import { newId } from '../../../../src/ids.ts';
import { createLogger } from '../../../../src/telemetry/logger.ts';
import { startReplicas, type TestApp } from '../../../helpers/app.ts';
import { StandInProxies, startTraffic, type TestTraffic } from '../../../helpers/proxy-traffic.ts';
import { newTenant, type TestTenant } from '../../../helpers/tenant.ts';
import { textOf, until } from '../../../helpers/tunnel-agent.ts';

import type { Proxy } from '../../../../plugins/proxies/api.ts';
import type { EndedCall } from '../../../../plugins/proxies/traffic/proxy-call.ts';
import type { RelayAnswer, RelayRequest } from '../../../../src/relay/types.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, afterEach, after } = lab;

const DAY_MS = 86_400_000;
const silent = createLogger({ level: 'silent', pretty: false });

/** Stands in for services behind tunnels: `down` is offline, of `cut` the answer breaks off. */
const relay: TunnelService['relay'] = async (_user, tunnelId, { body }): Promise<RelayAnswer> => {
    if (tunnelId === 'down') throw apiError('TUNNEL_OFFLINE', { cause: new RelayFailure('offline') });
    if (body) await textOf({ body });
    return {
        status: 200,
        headers: [],
        body: (async function* () {
            yield Buffer.from('0123456789');
            if (tunnelId === 'cut') throw new RelayFailure('lost');
        })(),
    };
};

describe('GET /api/proxies/{proxyId}/metrics', () => {
    let apps: [TestApp, TestApp];
    let traffics: [TestTraffic, TestTraffic];
    let records: StandInProxies;
    let tenant: TestTenant;

    before(async () => {
        apps = await startReplicas();
    });

    beforeEach(async () => {
        records = new StandInProxies();
        const tunnels = { relay };
        traffics = [
            await startTraffic(apps[0], records, {}, tunnels),
            await startTraffic(apps[1], records, {}, tunnels),
        ];
        tenant = await newTenant(apps[0]);
        for (const traffic of traffics) traffic.admit(tenant);
    });

    afterEach(async () => {
        await Promise.all(traffics.map((traffic) => traffic.stop()));
    });

    after(async () => {
        await Promise.all(apps.map((app) => app.stop()));
    });

    const newProxy = (members: string[], config = {}) =>
        records.add(
            apps[0],
            tenant,
            members.map((tunnelId, priority) => ({ tunnelId, priority })),
            { config },
        );
    const send = async ({ id }: Proxy, replica: number, changed: Partial<RelayRequest> = {}) => {
        const head = { method: 'GET', path: '/', headers: [] };
        const request = { head, body: null, gone: new AbortController().signal, ...changed };
        return textOf(await (traffics[replica] as TestTraffic).relay(tenant, id, request)).catch(() => 'broken');
    };
    async function* upload() {
        yield Buffer.from('abc');
    }
    const read = async ({ id }: Proxy, query = '') => {
        await Promise.all(traffics.map((traffic) => traffic.flush()));
        const { payload } = await traffics[0].call(tenant, 'GET', `/api/proxies/${id}/metrics${query}`);
        return JSON.parse(payload);
    };

    it('tells how requests of all replicas ended, their bytes and tries, and the same of each member', async () => {
        const proxy = await newProxy(['down', 'up']);
        expect((await read(proxy)).data.metrics).to.include({ requests: 0, p50Ms: null, histogram: [] });
        for (const replica of [0, 1, 0]) {
            const head = { method: 'POST', path: '/', headers: [] };
            expect(await send(proxy, replica, { head, body: upload() })).to.equal('0123456789');
        }
        const { metrics } = (await read(proxy)).data;
        expect(metrics).to.include({ requests: 3, successes: 3, errors: 0, retries: 3, waited: 0 });
        expect(metrics).to.include({ bytesIn: 9, bytesOut: 30 });
        expect(metrics.p99Ms).to.be.a.number();
        expect(metrics.histogram.reduce((sum: number, { count }: { count: number }) => sum + count, 0)).to.equal(3);
        expect(metrics.days).to.have.length(7);
        expect(metrics.days[0]).to.include({ requests: 3, retries: 3 });
        expect(metrics.days[0].date).to.match(/^\d{4}-\d\d-\d\d$/);
        const [down, up] = metrics.members;
        expect(down).to.include({ tunnelId: 'down', requests: 3, successes: 0, errors: 3, bytesOut: 0, p50Ms: null });
        expect(down.errorsByKind).to.equal({ offline: 3 });
        expect(up).to.include({ tunnelId: 'up', requests: 3, successes: 3, bytesIn: 9, bytesOut: 30 });
    });

    it('tells apart what requests failed with', async () => {
        const proxy = await newProxy(['down'], { retries: 0 });
        await expect(send(proxy, 0)).to.reject();
        const broken = await newProxy(['cut']);
        expect(await send(broken, 0)).to.equal('broken');
        expect((await read(proxy)).data.metrics.errorsByKind).to.equal({ offline: 1 });
        const { metrics } = (await read(broken)).data;
        expect(metrics.errorsByKind).to.equal({ lost: 1 });
        expect(metrics.members[0].errorsByKind).to.equal({ lost: 1 });
        expect(records.notes.map(({ tunnelId, isSuccess, error }) => [tunnelId, isSuccess, error])).to.equal([
            ['down', false, 'offline'],
            ['cut', true, undefined],
            ['cut', false, 'lost'],
        ]);
    });

    it('counts a client that leaves as such, and those who wait', async () => {
        const proxy = await newProxy(['up'], { maxConnections: 1 });
        const client = new AbortController();
        const head = { method: 'GET', path: '/', headers: [] };
        const request = { head, body: null, gone: client.signal };
        await traffics[0].relay(tenant, proxy.id, request);
        const waiting = send(proxy, 1);
        const place = { tenantId: tenant.tenantId, proxyId: proxy.id };
        await until(async () => (await traffics[0].load(place)).waiting === 1);
        client.abort();
        expect(await waiting).to.equal('0123456789');
        const { metrics } = (await read(proxy)).data;
        expect(metrics).to.include({ requests: 2, successes: 1, errors: 1, retries: 0, waited: 1 });
        expect(metrics.errorsByKind).to.equal({ cancelled: 1 });
    });

    it('takes an answer that has no body as whole', async () => {
        const proxy = await newProxy(['up']);
        const head = { method: 'HEAD', path: '/', headers: [] };
        const request = { head, body: null, gone: new AbortController().signal };
        const { body } = await traffics[0].relay(tenant, proxy.id, request);
        await body[Symbol.asyncIterator]().return?.();
        expect((await read(proxy)).data.metrics).to.include({ requests: 1, successes: 1 });
        const { active } = await traffics[0].load({ tenantId: tenant.tenantId, proxyId: proxy.id });
        expect(active).to.equal(0);
    });

    it('notes a success once a second at most, and the next one after a failure', async () => {
        const proxy = await newProxy(['up']);
        for (let times = 0; times < 5; times++) await send(proxy, 0);
        expect(records.notes).to.have.length(1);
        const cut = await newProxy(['cut']);
        for (let times = 0; times < 2; times++) await send(cut, 0);
        expect(records.notes.slice(1).map(({ isSuccess }) => isSuccess)).to.equal([true, false, true, false]);
    });

    it('keeps the days apart, for as many as are asked for', async () => {
        const proxy = await newProxy(['up']);
        await send(proxy, 0);
        await traffics[0].flush();
        await apps[0].advance(DAY_MS);
        await send(proxy, 0);
        const { metrics } = (await read(proxy)).data;
        expect(metrics.requests).to.equal(2);
        expect(metrics.members[0].requests).to.equal(2);
        expect(metrics.days.slice(0, 3).map((day: { requests: number }) => day.requests)).to.equal([1, 1, 0]);
        const today = (await read(proxy, '?days=1')).data.metrics;
        expect([today.requests, today.members[0].requests, today.days.length]).to.equal([1, 1, 1]);
        await apps[0].advance(-DAY_MS);
    });

    it('refuses days that are not kept, a proxy that is not the user’s, and who may not look', async () => {
        const proxy = await newProxy(['up']);
        for (const query of ['?days=0', '?days=91', '?days=x', '?since=1']) {
            expect((await read(proxy, query)).error.code, query).to.equal('VALIDATION_ERROR');
        }
        const other = await newTenant(apps[0]);
        const code = async () => {
            const { payload } = await traffics[0].call(other, 'GET', `/api/proxies/${proxy.id}/metrics`);
            return JSON.parse(payload).error.code;
        };
        expect(await code()).to.equal('UNAUTHENTICATED');
        traffics[0].admit(other, ['proxy:write']);
        expect(await code()).to.equal('FORBIDDEN');
        traffics[0].admit(other);
        expect(await code()).to.equal('PROXY_NOT_FOUND');
    });

    it('has what was counted before the process stopped, and nothing of a proxy that is gone', async () => {
        const proxy = await newProxy(['up']);
        const stopped = await startTraffic(apps[0], records, {}, { relay });
        const head = { method: 'GET', path: '/', headers: [] };
        const ask = { head, body: null, gone: new AbortController().signal };
        await textOf(await stopped.relay(tenant, proxy.id, ask));
        await stopped.stop();
        expect((await read(proxy)).data.metrics.requests).to.equal(1);
        const place = { tenantId: tenant.tenantId, proxyId: proxy.id };
        await apps[0].redis.del(records.key(place));
        await traffics[0].forget(place);
        await send(proxy, 0);
        await traffics[0].flush();
        expect(await apps[0].redis.keys(`${records.key(place)}:metrics:*`)).to.equal([]);
    });
});

describe('TrafficCounter', () => {
    const ended: EndedCall = { outcome: 'success', latencyMs: 5, hasWaited: false, tries: [] };

    it('sends what could not be written again, as the same batch, and many calls in one', async () => {
        const sent: Batch[] = [];
        let isAway = true;
        const store = {
            count: async (batch: Batch) => {
                sent.push(batch);
                if (isAway) throw new Error('away');
            },
        };
        const counter = new TrafficCounter(store, silent);
        const place = { tenantId: 'tenant_a', proxyId: 'proxy_a' };
        for (let times = 0; times < 100; times++) counter.count(place, ended);
        await counter.flush();
        counter.count(place, ended);
        isAway = false;
        await Promise.all([counter.flush(), counter.flush()]);
        expect(sent.map(({ counts }) => counts.requests)).to.equal([100, 100, 1]);
        const [first, again, second] = sent.map(({ id }) => id);
        expect(again).to.equal(first);
        expect(second).to.not.equal(first);
    });

    it('is counted once however often a batch is sent', async () => {
        const [app, other] = await startReplicas();
        const tenant = await newTenant(app);
        const place = { tenantId: tenant.tenantId, proxyId: newId('proxy') };
        const key = `tenant:{${tenant.tenantId}}:proxy:${place.proxyId}`;
        await app.redis.hset(key, 'id', place.proxyId);
        const stores = [app, other].map(({ store }) => new MetricsStore(store, () => key));
        const batch = { id: 'one', place, counts: { requests: 2 }, members: { 'tun_a:requests': 3 } };
        await Promise.all(stores.flatMap((store) => Array.from({ length: 5 }, () => store.count(batch))));
        const counted = await (stores[0] as MetricsStore).read(place, 1);
        expect(counted.days[0]?.counts.get('requests')).to.equal(2);
        expect(counted.members.get('tun_a')?.get('requests')).to.equal(3);
        await Promise.all([app.stop(), other.stop()]);
    });
});
