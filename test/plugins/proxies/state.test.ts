import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, startReplicas, type Answer, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { countCommands } from '../../helpers/count-commands.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { setLimits } from '../../helpers/limits.ts';
import { newProxyTenant, newProxyWith, NOBODYS_PROXY, recordsOf } from '../../helpers/proxy.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { codeOf } from '../../helpers/store.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newTunnel } from '../../helpers/tunnel.ts';
import { newUser } from '../../helpers/user.ts';
import { eventsOf } from '../../helpers/vm.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const statusesOf = (answers: Answer[]) => answers.map(({ status }) => status).toSorted((a, b) => a - b);
const UP = { isSuccess: true, latencyMs: 5.2 };
const DOWN = { isSuccess: false, latencyMs: null, error: 'offline' };

let redis: TestRedis;
let app: TestApp;
let ada: TestTenant;

before(async () => {
    redis = await startRedis();
    app = await startApp({ redisPath: redis.path, config: { ACCESS_TOKEN_TTL: 86_400 } });
});

beforeEach(async () => {
    ada = await newProxyTenant(app);
});

after(async () => {
    await app.stop();
    await redis.stop();
});

const post = (id: string, operation: string, payload?: object) =>
    ada.call('POST', `/api/proxies/${id}/${operation}`, payload ? { payload } : {});
const read = async (id: string) => (await ada.call('GET', `/api/proxies/${id}`)).body.data.proxy;
const healthOf = async (id: string) => (await ada.call('GET', `/api/proxies/${id}/health`)).body.data.health;
const changesOf = async () =>
    (await eventsOf(app, ada.tenantId, 'proxy.status_changed')).map(({ data }) => `${data.from} → ${data.to}`);
const placeOf = (proxyId: string) => ({ tenantId: ada.tenantId, proxyId });
const userOf = ({ tenantId, userId }: TestTenant) => ({ tenantId, userId });
const note = async (id: string, tunnelId: string, ...seen: (typeof UP | typeof DOWN)[]) => {
    for (const one of seen) await recordsOf(app).note(placeOf(id), tunnelId, one);
};
/** A proxy that runs, with members that came up after its start. */
const newRunning = async (count: number, more = {}) => {
    const made = await newProxyWith(ada, count, more);
    await post(made.id, 'start');
    for (const tunnelId of made.tunnelIds) await note(made.id, tunnelId, UP, UP);
    expect((await read(made.id)).status).to.equal('running');
    return made;
};

describe('POST /api/proxies/{proxyId}/start', () => {
    it('has a look at the members first: without any agent it is in error', async () => {
        const { id, tunnelIds } = await newProxyWith(ada, 2);
        const { body, status, headers } = await post(id, 'start');
        expect(status).to.equal(200);
        expect(body.data.proxy).to.include({ status: 'error', desired: 'running', reason: 'unhealthy' });
        expect(headers.etag).to.equal('"2"');
        const { members } = await healthOf(id);
        expect(members.map(({ tunnelId }: { tunnelId: string }) => tunnelId)).to.equal(tunnelIds);
        expect(members[0]).to.include({ isHealthy: false, failures: 1, error: 'offline', latencyMs: null });
        expect(await changesOf()).to.equal(['created → error']);
        const entry = (await readAudit(app, ada.tenantId)).find(({ action }) => action === 'proxy.start');
        expect(entry).to.include({ resourceId: id, userId: ada.userId, result: 'success' });
    });

    it('starts it once, when several ask at once', async () => {
        const { id } = await newProxyWith(ada, 1);
        const answers = await Promise.all(Array.from({ length: 6 }, () => post(id, 'start')));
        expect(statusesOf(answers)).to.equal([200, ...Array<number>(5).fill(409)]);
        expect(await changesOf()).to.have.length(1);
    });

    it('starts it once on two replicas', async () => {
        const [one, two] = await startReplicas({ redisPath: redis.path });
        const bob = await newProxyTenant(one);
        const { id } = await newProxyWith(bob, 1);
        const { accessToken: token } = bob;
        const calls = [one, two, one, two].map((on) => on.call('POST', `/api/proxies/${id}/start`, { token }));
        expect(statusesOf(await Promise.all(calls))).to.equal([200, 409, 409, 409]);
        await one.stop();
        await two.stop();
    });

    it('refuses one that runs, and says so', async () => {
        const { id } = await newProxyWith(ada, 1);
        await post(id, 'start');
        const { details } = expectError(await post(id, 'start'), 'INVALID_STATE');
        expect(details).to.equal({ from: 'error', to: 'running' });
        expectError(await post(NOBODYS_PROXY, 'start'), 'PROXY_NOT_FOUND');
    });
});

describe('POST /api/proxies/{proxyId}/stop', () => {
    it('stops it from any status once, and it can be started again', async () => {
        const { id, tunnelIds } = await newRunning(1);
        const answers = await Promise.all([1, 2, 3].map(() => post(id, 'stop')));
        expect(statusesOf(answers)).to.equal([200, 409, 409]);
        const refused = answers.find(({ status }) => status === 409);
        expect(refused?.body.error.details).to.equal({ from: 'stopped', to: 'stopped' });
        expect(await read(id)).to.include({ status: 'stopped', desired: 'stopped', reason: 'stopped' });
        await note(id, tunnelIds[0] ?? '', UP, UP);
        expect((await healthOf(id)).members[0].isHealthy).to.be.null();
        expect((await post(id, 'start')).body.data.proxy).to.include({ status: 'error', desired: 'running' });
        expect((await post(id, 'stop')).body.data.proxy).to.include({ status: 'stopped', reason: 'stopped' });
        const changes = ['created → error', 'error → running', 'running → stopped', 'stopped → error'];
        expect(await changesOf()).to.equal([...changes, 'error → stopped']);
    });

    it('stops one that never ran', async () => {
        const { id } = await newProxyWith(ada, 1);
        expect((await post(id, 'stop')).body.data.proxy).to.include({ status: 'stopped', reason: 'stopped' });
    });
});

describe('POST /api/proxies/{proxyId}/scale', () => {
    it('gives it as many replicas, with an event and an audit entry; as many as it has is no change', async () => {
        const { id } = await newProxyWith(ada, 1);
        const { body } = await post(id, 'scale', { replicas: 3 });
        expect(body.data.proxy).to.include({ replicas: 3, revision: 2, status: 'created' });
        expect((await post(id, 'scale', { replicas: 3 })).body.data.proxy.revision).to.equal(2);
        expect((await eventsOf(app, ada.tenantId, 'proxy.scaled')).map(({ data }) => data)).to.equal([
            { proxyId: id, userId: ada.userId, from: 1, to: 3, reason: 'request' },
        ]);
        const told = (await readAudit(app, ada.tenantId)).filter(({ action }) => action === 'proxy.scale');
        expect(told.map(({ details }) => details)).to.equal(['{"replicas":3}']);
    });

    it('tells of each step once, when several ask at once', async () => {
        const { id } = await newProxyWith(ada, 1);
        const answers = await Promise.all([2, 2, 3, 2, 3, 3, 2].map((replicas) => post(id, 'scale', { replicas })));
        expect(statusesOf(answers)).to.equal(Array<number>(7).fill(200));
        const steps = (await eventsOf(app, ada.tenantId, 'proxy.scaled')).map(({ data }) => data);
        let replicas: unknown = 1;
        for (const { from, to } of steps) {
            expect(from).to.equal(replicas);
            expect(to).not.to.equal(from);
            replicas = to;
        }
        expect((await read(id)).replicas).to.equal(replicas);
    });

    it('keeps to what the tier allows, and before that to the tenant’s own figure', async () => {
        const { id } = await newProxyWith(ada, 1);
        const { details } = expectError(await post(id, 'scale', { replicas: 4 }), 'QUOTA_EXCEEDED');
        expect(details).to.equal({ quota: 'replicasPerProxy', used: 3, limit: 3, resetsAt: null });
        await setLimits(app, ada.tenantId, { replicasPerProxy: 5 });
        expect((await post(id, 'scale', { replicas: 5 })).status).to.equal(200);
        for (const replicas of [0, 11, 1.5]) expectFaults(await post(id, 'scale', { replicas }), ['replicas']);
        expectError(await post(NOBODYS_PROXY, 'scale', { replicas: 2 }), 'PROXY_NOT_FOUND');
    });
});

describe('note', () => {
    it('makes a member unhealthy after three failures in a row and healthy after two successes', async () => {
        const { id, tunnelIds } = await newRunning(2);
        const [first = '', second = ''] = tunnelIds;
        await note(id, first, DOWN, DOWN, UP, DOWN, DOWN);
        expect((await read(id)).status).to.equal('running');
        await note(id, first, DOWN);
        expect(await read(id)).to.include({ status: 'degraded', reason: null });
        await note(id, second, DOWN, DOWN, DOWN, DOWN);
        expect(await read(id)).to.include({ status: 'error', reason: 'unhealthy' });
        await note(id, first, UP, DOWN, UP);
        expect((await read(id)).status).to.equal('error');
        await note(id, first, UP);
        expect((await read(id)).status).to.equal('degraded');
        const [one, other] = (await healthOf(id)).members;
        expect(one).to.include({ isHealthy: true, successes: 2, failures: 0, latencyMs: 5, error: null });
        expect(other).to.include({ isHealthy: false, successes: 0, failures: 4, latencyMs: null, error: 'offline' });
    });

    it('tells of each change once, when many note at once', async () => {
        const { id, tunnelIds } = await newRunning(1);
        const before = (await changesOf()).length;
        await Promise.all(Array.from({ length: 20 }, () => note(id, tunnelIds[0] ?? '', DOWN)));
        expect((await changesOf()).slice(before)).to.equal(['running → error']);
        await Promise.all(Array.from({ length: 20 }, () => note(id, tunnelIds[0] ?? '', UP)));
        expect((await changesOf()).slice(before)).to.equal(['running → error', 'error → running']);
    });

    it('knows nothing of tunnels that are no members, and of proxies that do not run', async () => {
        const { id, tunnelIds } = await newRunning(1);
        const other = await newTunnel(ada, 'other');
        await note(id, other, DOWN, DOWN, DOWN);
        expect((await read(id)).status).to.equal('running');
        await ada.call('PATCH', `/api/proxies/${id}`, { payload: { members: [{ tunnelId: other }] } });
        await note(id, tunnelIds[0] ?? '', DOWN, DOWN, DOWN);
        expect((await read(id)).status).to.equal('running');
        expect((await healthOf(id)).members.map(({ isHealthy }: { isHealthy: unknown }) => isHealthy)).to.equal([null]);
        await note(NOBODYS_PROXY, other, DOWN);
    });

    it('forgets members that were taken out, and the status follows', async () => {
        const { id, tunnelIds } = await newRunning(2);
        const [first = '', second = ''] = tunnelIds;
        await note(id, first, DOWN, DOWN, DOWN);
        const change = { payload: { members: [{ tunnelId: second }] } };
        expect((await ada.call('PATCH', `/api/proxies/${id}`, change)).body.data.proxy.status).to.equal('running');
        const back = { payload: { members: [{ tunnelId: first }] } };
        expect((await ada.call('PATCH', `/api/proxies/${id}`, back)).body.data.proxy.status).to.equal('running');
        expect((await healthOf(id)).members[0]).to.include({ isHealthy: null, failures: 0 });
    });
});

describe('use', () => {
    const use = (id: string, user = userOf(ada)) => recordsOf(app).use(user, id);

    it('gives the proxy and what is known of its members in one round trip, and notes the minute', async () => {
        const { id, tunnelIds } = await newRunning(2);
        await note(id, tunnelIds[1] ?? '', DOWN, DOWN, DOWN);
        expect((await use(id)).proxy.lastUsedAt).to.be.string();
        const commands = await countCommands(app.redis, () => use(id));
        expect(commands).to.equal(['evalsha']);
        const { proxy, health } = await use(id);
        expect(proxy).to.equal(await read(id));
        expect(proxy.status).to.equal('degraded');
        const [first = '', second = ''] = tunnelIds;
        expect([health.size, health.get(first)?.isHealthy, health.get(second)?.isHealthy]).to.equal([2, true, false]);
        const used = proxy.lastUsedAt;
        await app.advance(30_000);
        expect((await use(id)).proxy.lastUsedAt).to.equal(used);
        await app.advance(30_001);
        const later = (await use(id)).proxy;
        expect(Date.parse(later.lastUsedAt ?? '') - Date.parse(used ?? '')).to.be.at.least(60_000);
        expect(later.revision).to.equal(proxy.revision);
    });

    it('refuses a proxy that was not started or is stopped, and somebody else', async () => {
        const { id } = await newProxyWith(ada, 1);
        expect(await codeOf(use(id))).to.equal('PROXY_STOPPED');
        await post(id, 'start');
        expect((await use(id)).proxy.status).to.equal('error');
        expect(await codeOf(use(id, userOf(await newTenant(app))))).to.equal('PROXY_NOT_FOUND');
        const { userId } = await newUser(app, ada.tenantId, 'admin');
        expect(await codeOf(use(id, { tenantId: ada.tenantId, userId }))).to.equal('PROXY_NOT_FOUND');
        expect(await codeOf(recordsOf(app).get({ tenantId: ada.tenantId, userId }, id))).to.equal('PROXY_NOT_FOUND');
        expect((await recordsOf(app).get(userOf(ada), id)).id).to.equal(id);
        await post(id, 'stop');
        expect(await codeOf(use(id))).to.equal('PROXY_STOPPED');
        expect(await app.redis.exists(recordsOf(app).key(placeOf(id)))).to.equal(1);
    });
});

describe('GET /api/proxies/{proxyId}/status', () => {
    const statusOf = async (id: string) => (await ada.call('GET', `/api/proxies/${id}/status`)).body.data.status;

    it('shows since when it is so, and how much of its life it was there', async () => {
        const { id } = await newProxyWith(ada, 1);
        expect(await statusOf(id)).to.include({ status: 'created', desired: 'stopped', reason: null, replicas: 1 });
        const { id: other } = await newRunning(1, { name: 'other' });
        await app.advance(600_000);
        await post(other, 'stop');
        await app.advance(600_000);
        const state = await statusOf(other);
        expect(state).to.include({ status: 'stopped', reason: 'stopped', desired: 'stopped' });
        expect(state.since).to.equal((await read(other)).statusChangedAt);
        expect(state.load).to.equal({ active: 0, waiting: 0 });
        // A busy machine is minutes from that at most.
        expect(Number(state.availability)).to.be.within(0.4, 0.6);
        expectError(await ada.call('GET', `/api/proxies/${NOBODYS_PROXY}/status`), 'PROXY_NOT_FOUND');
    });
});
