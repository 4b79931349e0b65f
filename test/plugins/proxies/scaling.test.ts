import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, startReplicas, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { setLimits } from '../../helpers/limits.ts';
import { newProxyTenant, newProxyWith, newWatcher, recordsOf, StandInRelay } from '../../helpers/proxy.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { codeOf } from '../../helpers/store.ts';
import { setUserField } from '../../helpers/user.ts';
import { eventsOf } from '../../helpers/vm.ts';

import type { ProxyLoad } from '../../../plugins/proxies/api.ts';
import type { TestTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, beforeEach, afterEach } = lab;

const config = { ACCESS_TOKEN_TTL: 86_400 };
const BUSY = { active: 9, waiting: 0 };
const QUIET = { active: 2, waiting: 0 };
const BETWEEN = { active: 5, waiting: 0 };
const NOTHING = { active: 0, waiting: 0 };

let redis: TestRedis;
let app: TestApp;
let ada: TestTenant;
let load: ProxyLoad;
let watcher: ReturnType<typeof newWatcher>;

// What is due is due to whoever looks first: each test has a server to itself.
beforeEach(async () => {
    redis = await startRedis();
    app = await startApp({ redisPath: redis.path, config });
    ada = await newProxyTenant(app);
    load = NOTHING;
    watcher = watcherOf(app);
});

afterEach(async () => {
    await app.stop();
    await redis.stop();
});

const watcherOf = (on: TestApp) => newWatcher(on, new StandInRelay(), async () => load);
const read = async (id: string) => (await ada.call('GET', `/api/proxies/${id}`)).body.data.proxy;
const stepsOf = async () =>
    (await eventsOf(app, ada.tenantId, 'proxy.scaled')).map(({ data }) => [data.from, data.to, data.reason]);
const newRunning = async (more: object = { autoScale: true }) => {
    const { id, tunnelIds } = await newProxyWith(ada, 1, { config: { maxConnections: 10, ...more } });
    await ada.call('POST', `/api/proxies/${id}/start`);
    return { id, tunnelIds };
};
/** Lets so many seconds pass under that load, with a look each ten. */
const pass = async (seconds: number, busy = load, looks = () => watcher.look()) => {
    load = busy;
    for (let left = seconds; left > 0; left -= 10) {
        await app.advance(10_000);
        await looks();
    }
};

describe('a proxy that follows its load', () => {
    it('has a replica more after a minute above 80 %, as long as the tier allows more', async () => {
        const { id } = await newRunning();
        await pass(60, BUSY);
        expect((await read(id)).replicas).to.equal(1);
        await pass(10);
        expect(await read(id)).to.include({ replicas: 2 });
        expect(await stepsOf()).to.equal([[1, 2, 'load']]);
        // Of twenty connections that is not much.
        await pass(120);
        expect((await read(id)).replicas).to.equal(2);
        await pass(200, { active: 99, waiting: 3 });
        expect((await read(id)).replicas).to.equal(3);
        const told = (await readAudit(app, ada.tenantId)).filter(({ action }) => action === 'proxy.scale');
        expect(told.map(({ details, userId }) => [userId, JSON.parse(details ?? '')])).to.equal([
            [undefined, { from: 1, to: 2, reason: 'load' }],
            [undefined, { from: 2, to: 3, reason: 'load' }],
        ]);
    });

    it('counts those that wait, and begins anew when it was less for a moment', async () => {
        const { id } = await newRunning();
        await pass(50, { active: 0, waiting: 1 });
        await pass(10, BETWEEN);
        await pass(60, { active: 0, waiting: 1 });
        expect((await read(id)).replicas).to.equal(1);
        await pass(10);
        expect((await read(id)).replicas).to.equal(2);
    });

    it('has one less after five minutes below 30 %, never less than one', async () => {
        const { id } = await newRunning();
        await ada.call('POST', `/api/proxies/${id}/scale`, { payload: { replicas: 2 } });
        await pass(300, QUIET);
        expect((await read(id)).replicas).to.equal(2);
        await pass(10);
        expect((await read(id)).replicas).to.equal(1);
        await pass(400);
        expect((await read(id)).replicas).to.equal(1);
        expect(await stepsOf()).to.equal([
            [1, 2, 'request'],
            [2, 1, 'load'],
        ]);
    });

    it('keeps to the tier of its owner, and before that to the tenant’s own figure', async () => {
        const { id } = await newRunning();
        await setUserField(app, ada.tenantId, ada.userId, 'tier', 'free');
        await pass(100, { active: 0, waiting: 9 });
        expect((await read(id)).replicas).to.equal(1);
        await setLimits(app, ada.tenantId, { replicasPerProxy: 2 });
        await pass(200);
        expect((await read(id)).replicas).to.equal(2);
    });

    it('does not, unless it is told to', async () => {
        const { id } = await newRunning({});
        await pass(100, BUSY);
        expect((await read(id)).replicas).to.equal(1);
        await ada.call('PATCH', `/api/proxies/${id}`, { payload: { config: { autoScale: true } } });
        await pass(60);
        expect((await read(id)).replicas).to.equal(1);
        await pass(10);
        expect((await read(id)).replicas).to.equal(2);
    });

    it('takes nothing for lasting that nobody has looked at', async () => {
        const { id } = await newRunning();
        await pass(10, BUSY);
        await app.advance(300_000);
        await pass(10);
        expect((await read(id)).replicas).to.equal(1);
    });

    it('takes each step once, whoever of many processes on two replicas looks', async () => {
        const { JWT_KEYS, VAULT_KEYS } = app.config;
        const [one, two] = await startReplicas({ redisPath: redis.path, config: { ...config, JWT_KEYS, VAULT_KEYS } });
        const { id } = await newRunning();
        const many = Array.from({ length: 9 }, (_, n) => watcherOf([app, one, two][n % 3] ?? app));
        await pass(140, { active: 99, waiting: 9 }, async () => {
            for (const replica of [one, two]) await replica.advance(10_000);
            await Promise.all(many.map(({ look }) => look()));
        });
        expect(await stepsOf()).to.equal([
            [1, 2, 'load'],
            [2, 3, 'load'],
        ]);
        expect((await read(id)).replicas).to.equal(3);
        await one.stop();
        await two.stop();
    });

    it('takes a step once, also when several samples are written at once', async () => {
        const { id } = await newRunning();
        await pass(60, BUSY);
        await app.advance(10_000);
        const place = { tenantId: ada.tenantId, proxyId: id };
        const written = await Promise.all(
            Array.from({ length: 8 }, () => watcher.state.sample(place, { active: 99, waiting: 0 })),
        );
        expect(written.filter((what) => what === 'scaled')).to.have.length(1);
        expect(written.filter((what) => what === 'seen')).to.have.length(7);
        expect((await read(id)).replicas).to.equal(2);
    });
});

describe('an idle proxy', () => {
    const use = (id: string) => recordsOf(app).use({ tenantId: ada.tenantId, userId: ada.userId }, id);
    const statusOf = async (id: string) => (await ada.call('GET', `/api/proxies/${id}/status`)).body.data.status;

    it('is stopped after ten minutes without a request, and started by the next one', async () => {
        const { id } = await newRunning({});
        await pass(590, NOTHING);
        expect((await read(id)).desired).to.equal('running');
        expect((await read(id)).status).not.to.equal('stopped');
        await pass(20);
        expect(await read(id)).to.include({ status: 'stopped', reason: 'idle', desired: 'running' });
        const { reason, availability } = await statusOf(id);
        expect(reason).to.equal('idle');
        // The next request is taken.
        expect(Number(availability)).to.be.above(0.9);
        await pass(120);
        const { proxy, health } = await use(id);
        expect(proxy).to.include({ status: 'running', reason: null });
        expect(health.size).to.equal(0);
        const before = (await eventsOf(app, ada.tenantId, 'proxy.status_changed')).at(-1);
        expect(before?.data).to.include({ from: 'stopped', to: 'running' });
        // Its members are looked at at once.
        await watcher.look();
        expect((await use(id)).health.size).to.equal(1);
        await pass(640);
        expect((await read(id)).status).to.equal('running');
        await pass(30);
        expect((await read(id)).reason).to.equal('idle');
    });

    it('is started once, by many requests at once', async () => {
        const { id } = await newRunning({});
        await pass(610, NOTHING);
        expect((await read(id)).reason).to.equal('idle');
        const before = (await eventsOf(app, ada.tenantId, 'proxy.status_changed')).length;
        const used = await Promise.all(Array.from({ length: 12 }, () => use(id)));
        expect(used.every(({ proxy }) => proxy.status === 'running')).to.be.true();
        expect(await eventsOf(app, ada.tenantId, 'proxy.status_changed')).to.have.length(before + 1);
    });

    it('is looked at also when who woke it has died before he said so', async () => {
        const { id } = await newRunning({});
        await pass(610, NOTHING);
        await watcher.store.use({ tenantId: ada.tenantId, proxyId: id }, ada.userId);
        await pass(70, BETWEEN);
        expect((await use(id)).health.size).to.equal(1);
    });

    it('is none while a call runs or waits, or one has come', async () => {
        const { id } = await newRunning({});
        await pass(700, { active: 1, waiting: 0 });
        expect((await read(id)).status).not.to.equal('stopped');
        await use(id);
        await pass(590, NOTHING);
        expect((await read(id)).status).not.to.equal('stopped');
        await pass(100, { active: 0, waiting: 1 });
        expect((await read(id)).status).not.to.equal('stopped');
    });

    it('stays stopped when its user stops it then', async () => {
        const { id } = await newRunning({});
        await pass(610, NOTHING);
        const { proxy } = (await ada.call('POST', `/api/proxies/${id}/stop`)).body.data;
        expect(proxy).to.include({ status: 'stopped', reason: 'stopped', desired: 'stopped' });
        expect(await codeOf(use(id))).to.equal('PROXY_STOPPED');
    });
});
