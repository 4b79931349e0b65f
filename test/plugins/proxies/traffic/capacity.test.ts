import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { CapacityStore } from '../../../../plugins/proxies/traffic/capacity-store.ts';
import { Capacity, type CapacityParts, type Entered } from '../../../../plugins/proxies/traffic/capacity.ts';
import { Drain } from '../../../../src/drain.ts';
import { isApiError } from '../../../../src/http/errors.ts';
import { isStoreUnavailable } from '../../../../src/redis/client.ts';
import { Signals } from '../../../../src/redis/signals.ts';
import { createLogger } from '../../../../src/telemetry/logger.ts';
import { startApp, startReplicas, type TestApp } from '../../../helpers/app.ts';
import { StandInProxies, type ProxyChanges } from '../../../helpers/proxy-traffic.ts';
import { startRedis } from '../../../helpers/redis.ts';
import { newTenant, type TestTenant } from '../../../helpers/tenant.ts';
import { until } from '../../../helpers/tunnel-agent.ts';

import type { Proxy } from '../../../../plugins/proxies/api.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, afterEach, after } = lab;

const LONG = { leaseMs: 30_000, placeMs: 5_000, waitMs: 20_000, pollMs: 5_000, renewMs: 10_000 };
const silent = createLogger({ level: 'silent', pretty: false });
const codeOf = (error: unknown) => (isApiError(error) ? error.data?.code : String(error));

/** A process' part of the capacity. */
interface Replica {
    capacity: Capacity;
    store: CapacityStore;
    drain: Drain;
    signals: Signals;
    enter: (gone?: AbortSignal) => Promise<Entered>;
}

describe('the capacity of a proxy', () => {
    let apps: [TestApp, TestApp];
    let tenant: TestTenant;
    let records: StandInProxies;
    let proxy: Proxy;
    let open: Replica[];

    before(async () => {
        apps = await startReplicas();
    });

    beforeEach(async () => {
        tenant = await newTenant(apps[0]);
        records = new StandInProxies();
        open = [];
    });

    afterEach(async () => {
        for (const { capacity, signals } of open) {
            await capacity.stop();
            signals.close();
        }
    });

    after(async () => {
        await Promise.all(apps.map((app) => app.stop()));
    });

    const newProxy = async (maxConnections: number, changes: ProxyChanges = {}) => {
        const members = [{ tunnelId: 'tun_a' }, { tunnelId: 'tun_b' }];
        proxy = await records.add(apps[0], tenant, members, { config: { maxConnections }, ...changes });
    };
    const place = () => ({ tenantId: tenant.tenantId, proxyId: proxy.id });
    const load = () => (open[0] as Replica).store.load(place());

    const replica = async (app: TestApp, changed: Partial<typeof LONG> = {}): Promise<Replica> => {
        const timings = { ...LONG, ...changed };
        const store = new CapacityStore(app.store, timings);
        const signals = new Signals(app.redis, silent);
        const drain = new Drain();
        const parts: CapacityParts = { records, store, signals, logger: silent, drain, ...timings };
        const capacity = new Capacity(parts);
        await capacity.start();
        const enter = async (gone = new AbortController().signal) =>
            capacity.enter(tenant, await records.use(tenant, proxy.id), gone);
        const made = { capacity, store, drain, signals, enter };
        open.push(made);
        return made;
    };
    const replicas = async (changed: Partial<typeof LONG> = {}) =>
        [await replica(apps[0], changed), await replica(apps[1], changed)] as const;

    /** What has become of who came, by the number that each has. */
    const watch = (entering: Promise<Entered>[]) => {
        const inside: { at: number; entered: Entered }[] = [];
        const refused: { at: number; code: unknown }[] = [];
        entering.forEach((each, at) => {
            each.then(
                (entered) => inside.push({ at, entered }),
                (error: unknown) => refused.push({ at, code: codeOf(error) }),
            );
        });
        return { inside, refused };
    };

    it('is taken by exactly as many as it has room for, of many at once on two replicas', async () => {
        await newProxy(7, { replicas: 2 });
        const [one, two] = await replicas();
        const { inside, refused } = watch(
            Array.from({ length: 60 }, (_each, at) => (at % 2 === 0 ? one : two).enter()),
        );
        await until(() => inside.length + refused.length === 60 - 14);
        // 14 have room, 14 may wait, and the others are refused at once.
        expect([inside.length, refused.length]).to.equal([14, 32]);
        expect(refused.every(({ code }) => code === 'PROXY_BUSY')).to.be.true();
        expect(await load()).to.equal({ active: 14, waiting: 14 });
        let most = 0;
        for (let left = 0; left < 28; left++) {
            await until(() => inside.length > left);
            most = Math.max(most, (await load()).active);
            inside[left]?.entered.lease.giveBack();
        }
        expect(most).to.equal(14);
        expect(inside.length).to.equal(28);
        await until(async () => (await load()).active === 0);
        const keys = await apps[0].redis.keys(`tenant:{${tenant.tenantId}}:proxy:${proxy.id}:*`);
        expect(keys.filter((key) => !key.endsWith(':turns'))).to.equal([]);
    });

    it('is entered in the order of coming, across replicas', async () => {
        await newProxy(1, { replicas: 6 });
        const [one, two] = await replicas();
        const first = await Promise.all(Array.from({ length: 6 }, () => one.enter()));
        const entering: Promise<Entered>[] = [];
        for (let at = 0; at < 6; at++) {
            entering.push((at % 2 === 0 ? two : one).enter());
            await until(async () => (await load()).waiting === at + 1);
        }
        const { inside } = watch(entering);
        for (const [at, { lease }] of first.entries()) {
            lease.giveBack();
            await until(() => inside.length === at + 1);
        }
        expect(inside.map(({ at }) => at)).to.equal([0, 1, 2, 3, 4, 5]);
        expect(inside.every(({ entered }) => entered.waitedMs !== null)).to.be.true();
        expect(first.every(({ waitedMs }) => waitedMs === null)).to.be.true();
    });

    it('lets all of several in who came free at once, without the safety net', async () => {
        await newProxy(4);
        const [one, two] = await replicas({ pollMs: 60_000 });
        const first = await Promise.all(Array.from({ length: 4 }, () => one.enter()));
        const { inside } = watch([two.enter(), one.enter(), two.enter(), one.enter()]);
        await until(async () => (await load()).waiting === 4);
        for (const { lease } of first) lease.giveBack();
        await until(() => inside.length === 4);
        expect(await load()).to.equal({ active: 4, waiting: 0 });
    });

    it('does not let somebody past who waits', async () => {
        await newProxy(2);
        const [one, two] = await replicas();
        const [first] = await Promise.all([one.enter(), one.enter()]);
        const waiting = two.enter();
        await until(async () => (await load()).waiting === 1);
        first?.lease.giveBack();
        const late = watch([one.enter()]);
        const { waitedMs } = await waiting;
        expect(waitedMs).to.not.be.null();
        await until(async () => (await load()).waiting === 1);
        expect(late.inside).to.equal([]);
    });

    it('is refused who has waited for as long as one may', async () => {
        await newProxy(1);
        const one = await replica(apps[0], { waitMs: 50 });
        await one.enter();
        const error = await expect(one.enter()).to.reject();
        expect(codeOf(error)).to.equal('PROXY_BUSY');
        const { data, output } = error as unknown as {
            data: { details: { waitedMs: number } };
            output: { headers: object };
        };
        expect(data.details.waitedMs).to.be.at.least(45);
        expect(output.headers).to.include('retry-after');
        await until(async () => (await load()).waiting === 0);
        expect((await load()).active).to.equal(1);
    });

    it('has its place in line given up by who leaves, at once, and nobody is held up by that', async () => {
        await newProxy(2);
        const [one, two] = await replicas();
        const [first] = await Promise.all([one.enter(), one.enter()]);
        const client = new AbortController();
        const left = two.enter(client.signal);
        await until(async () => (await load()).waiting === 1);
        const { inside } = watch([one.enter()]);
        await until(async () => (await load()).waiting === 2);
        client.abort();
        await expect(left).to.reject();
        await until(async () => (await load()).waiting === 1);
        first?.lease.giveBack();
        await until(() => inside.length === 1);
        expect(await load()).to.equal({ active: 2, waiting: 0 });
    });

    it('is given back by who leaves while let in', async () => {
        await newProxy(1);
        const [one, two] = await replicas();
        for (let times = 0; times < 20; times++) {
            const first = await one.enter();
            const client = new AbortController();
            const left = two.enter(client.signal).then(
                ({ lease }) => lease.giveBack(),
                () => undefined,
            );
            if (times % 2 === 0) await until(async () => (await load()).waiting === 1);
            first.lease.giveBack();
            client.abort();
            await left;
            await until(async () => (await load()).active === 0);
        }
        expect((await load()).waiting).to.equal(0);
    });

    it('comes free when a process has died, after the lease has run out', async () => {
        await newProxy(2);
        const dead = new CapacityStore(apps[0].store, { leaseMs: 1_000, placeMs: 1_000 });
        const members = [{ id: 'tun_a', weight: 1, rank: 0 }];
        const entering = { capacity: 2, longest: 2, isClosed: false, isByLoad: false, keep: [], members };
        const one = await replica(apps[1], { pollMs: 20 });
        expect(await dead.enter(place(), { ...entering, lease: 'lease_1' })).to.equal(['tun_a']);
        await one.enter();
        expect(await dead.enter(place(), { ...entering, lease: 'lease_2' })).to.equal('waiting');
        expect(await load()).to.equal({ active: 2, waiting: 1 });
        // Also the place in line of the dead one is in nobody's way.
        const { order } = await one.enter();
        expect(await load()).to.equal({ active: 2, waiting: 0 });
        const running = await apps[0].redis.hgetall(`tenant:{${tenant.tenantId}}:proxy:${proxy.id}:running`);
        expect(order).to.have.length(2);
        expect(running).to.equal({ tun_a: '1', tun_b: '1' });
    });

    it('stays taken for as long as a process lives, and its places in line too', async () => {
        await newProxy(2);
        const short = { leaseMs: 1_000, renewMs: 100, placeMs: 1_000, pollMs: 100 };
        const [one, two] = await replicas(short);
        const [first] = await Promise.all([one.enter(), one.enter()]);
        const { inside } = watch([one.enter(), one.enter()]);
        await until(async () => (await load()).waiting === 2);
        await sleep(1_300);
        expect(await load()).to.equal({ active: 2, waiting: 2 });
        expect(await two.enter().catch(codeOf)).to.equal('PROXY_BUSY');
        first?.lease.giveBack();
        await until(() => inside.length === 1);
        expect(inside[0]?.at).to.equal(0);
    });

    it('is refused who came too late to keep a place that others have now', async () => {
        await newProxy(1);
        const late = await replica(apps[0], { placeMs: 400, pollMs: 1_500 });
        const other = await replica(apps[1]);
        await late.enter();
        const refused = late.enter().catch((error: unknown) => error);
        await until(async () => (await load()).waiting === 1);
        await until(async () => (await load()).waiting === 0);
        const { inside } = watch([other.enter()]);
        const error = await refused;
        expect(codeOf(error)).to.equal('PROXY_BUSY');
        expect((error as { data: { details: { waitedMs: number } } }).data.details.waitedMs).to.be.above(0);
        expect([inside.length, await load()]).to.equal([0, { active: 1, waiting: 1 }]);
    });

    it('fails for those in line when the datastore is away', async () => {
        const redis = await startRedis();
        const app = await startApp({ redisPath: redis.path, isImpatient: true });
        await newProxy(1);
        const one = await replica(app, { pollMs: 50, renewMs: 50 });
        const { lease } = await one.enter();
        const waiting = one.enter().catch((error: unknown) => error);
        await until(async () => (await load()).waiting === 1);
        await redis.stop();
        expect(isStoreUnavailable(await waiting)).to.be.true();
        expect(isStoreUnavailable(await one.enter().catch((error: unknown) => error))).to.be.true();
        lease.giveBack();
        await app.stop();
    });

    it('counts a call again whose lease has run out meanwhile', async () => {
        await newProxy(5);
        const one = await replica(apps[0], { renewMs: 30 });
        await Promise.all([one.enter(), one.enter()]);
        const keys = await apps[0].redis.keys(`tenant:{${tenant.tenantId}}:proxy:${proxy.id}:*`);
        await apps[0].redis.del(keys.filter((key) => /:(leases|running)$/.test(key)));
        await until(async () => (await load()).active === 2);
        const running = `tenant:{${tenant.tenantId}}:proxy:${proxy.id}:running`;
        expect(await apps[0].redis.hgetall(running)).to.equal({ tun_a: '1', tun_b: '1' });
    });

    it('grows for those in line when the proxy is scaled', async () => {
        await newProxy(1);
        const one = await replica(apps[0], { pollMs: 20 });
        await one.enter();
        const waiting = one.enter();
        await until(async () => (await load()).waiting === 1);
        records.proxies.set(`${tenant.tenantId}/${proxy.id}`, { ...proxy, replicas: 2 });
        expect((await waiting).waitedMs).to.not.be.null();
    });

    it('tells those in line when the proxy is stopped or deleted', async () => {
        for (const code of ['PROXY_STOPPED', 'PROXY_NOT_FOUND']) {
            await newProxy(1);
            const one = await replica(apps[0], { pollMs: 20 });
            await one.enter();
            const waiting = one.enter().catch(codeOf);
            await until(async () => (await load()).waiting === 1);
            const key = `${tenant.tenantId}/${proxy.id}`;
            if (code === 'PROXY_STOPPED') records.proxies.set(key, { ...proxy, status: 'stopped' });
            else records.proxies.delete(key);
            expect(await waiting).to.equal(code);
            await until(async () => (await load()).waiting === 0);
        }
    });

    it('takes nobody into line on a replica that stops, and sends those away who are', async () => {
        await newProxy(2);
        const [one, two] = await replicas();
        const [first, second] = await Promise.all([one.enter(), one.enter()]);
        const waiting = one.enter().catch((error: unknown) => error);
        await until(async () => (await load()).waiting === 1);
        one.drain.begin();
        expect(await one.enter().catch(codeOf)).to.equal('SHUTTING_DOWN');
        one.capacity.close();
        const error = await waiting;
        expect(codeOf(error)).to.equal('SHUTTING_DOWN');
        expect((error as { output: { headers: object } }).output.headers).to.include('retry-after');
        await until(async () => (await load()).waiting === 0);
        // What runs goes on, and elsewhere one waits as before.
        expect((await load()).active).to.equal(2);
        const elsewhere = two.enter();
        await until(async () => (await load()).waiting === 1);
        first?.lease.giveBack();
        expect((await elsewhere).waitedMs).to.not.be.null();
        await one.capacity.stop();
        expect((await load()).active).to.equal(1);
        second?.lease.giveBack();
        expect((await load()).active).to.equal(1);
    });

    it('sends away who was taken into line while the replica stopped', async () => {
        await newProxy(1);
        const one = await replica(apps[0]);
        await one.enter();
        const late = one.enter().catch(codeOf);
        // It is asked for, and not answered yet.
        for (let turn = 0; turn < 10; turn++) await Promise.resolve();
        one.capacity.close();
        expect(await late).to.equal('SHUTTING_DOWN');
        await until(async () => (await load()).waiting === 0);
    });
});
