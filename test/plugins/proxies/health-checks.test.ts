import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { apiError } from '../../../src/http/errors.ts';
import { startApp, startReplicas, type TestApp } from '../../helpers/app.ts';
import { newProxyTenant, newProxyWith, newWatcher, recordsOf, StandInRelay } from '../../helpers/proxy.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { eventsOf } from '../../helpers/vm.ts';

import type { TestTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, beforeEach, afterEach } = lab;

const config = { ACCESS_TOKEN_TTL: 86_400 };

let redis: TestRedis;
let app: TestApp;
let ada: TestTenant;
let relay: StandInRelay;

// What is due is due to whoever looks first: each test has a server to itself.
beforeEach(async () => {
    redis = await startRedis();
    app = await startApp({ redisPath: redis.path, config });
    ada = await newProxyTenant(app);
    relay = new StandInRelay();
});

afterEach(async () => {
    await app.stop();
    await redis.stop();
});

const read = async (id: string) => (await ada.call('GET', `/api/proxies/${id}`)).body.data.proxy;
const memberOf = async (id: string, n = 0) =>
    (await ada.call('GET', `/api/proxies/${id}/health`)).body.data.health.members[n];
const changesOf = async (tenantId = ada.tenantId) =>
    (await eventsOf(app, tenantId, 'proxy.status_changed')).map(({ data }) => `${data.from} → ${data.to}`);
const failuresOf = () => eventsOf(app, ada.tenantId, 'proxy.recovery_failed');
const due = () => app.redis.zrange('tenant:{platform}:proxies:checks', 0, '-1');
/** Started while there is no agent, and up since its second look. */
const newRunning = async (count = 1, more: object = {}) => {
    const watcher = newWatcher(app, relay);
    const made = await newProxyWith(ada, count, more);
    await ada.call('POST', `/api/proxies/${made.id}/start`);
    for (let times = 0; times < 2; times++) {
        await app.advance(5_000);
        await watcher.look();
    }
    expect((await read(made.id)).status).to.equal('running');
    relay.asked.length = 0;
    return { ...made, watcher };
};

describe('a proxy that runs', () => {
    it('is checked each interval, all members at once', async () => {
        const { watcher, tunnelIds, id } = await newRunning(3, { config: { healthInterval: 20_000 } });
        let waiting = 0;
        const all = new Promise<void>((resolve) => {
            relay.during = () => {
                if (++waiting === 3) resolve();
                return all;
            };
        });
        await app.advance(12_000);
        await watcher.look();
        expect(relay.asked).to.equal([]);
        await app.advance(8_500);
        await watcher.look();
        expect(relay.asked.toSorted()).to.equal(tunnelIds.toSorted());
        expect((await memberOf(id)).successes).to.equal(3);
        await watcher.look();
        expect(relay.asked).to.have.length(3);
    });

    it('is degraded and in error after three failures in a row, and runs again after two successes', async () => {
        const { watcher, tunnelIds, id } = await newRunning(2, { config: { healthInterval: 1_000 } });
        const [first = '', second = ''] = tunnelIds;
        const look = async (times: number) => {
            for (; times > 0; times--) {
                await app.advance(6_000);
                await watcher.look();
            }
        };
        const before = (await changesOf()).length;
        relay.down.add(first);
        await look(2);
        expect((await read(id)).status).to.equal('running');
        await look(1);
        expect((await read(id)).status).to.equal('degraded');
        expect(await memberOf(id)).to.include({ isHealthy: false, failures: 3, error: 'status_503' });
        relay.down.add(second);
        await look(3);
        expect(await read(id)).to.include({ status: 'error', reason: 'unhealthy' });
        relay.down.clear();
        await look(1);
        expect((await read(id)).status).to.equal('error');
        await look(1);
        expect((await read(id)).status).to.equal('running');
        const changes = ['running → degraded', 'degraded → error', 'error → running'];
        expect((await changesOf()).slice(before)).to.equal(changes);
    });

    it('takes an answer below 500 for a good one, and one that never comes for none', async () => {
        const { watcher, tunnelIds, id } = await newRunning(1, { config: { healthTimeout: 1_000 } });
        const [tunnelId = ''] = tunnelIds;
        relay.down.add(tunnelId);
        relay.status = 404;
        await app.advance(31_000);
        await watcher.look();
        expect(await memberOf(id)).to.include({ failures: 0, error: null });
        const { relay: answering } = relay;
        relay.relay = (_user, _tunnelId, { gone }) =>
            new Promise((_resolve, reject) => gone.addEventListener('abort', () => reject(new Error('Given up'))));
        const hanging = newWatcher(app, relay);
        await app.advance(31_000);
        await hanging.look();
        expect(await memberOf(id)).to.include({ failures: 1, error: 'timeout', latencyMs: null });
        relay.relay = answering;
    });

    it('is not checked any more when it is stopped or deleted', async () => {
        const { watcher, id } = await newRunning();
        const other = await newRunning(1, { name: 'other' });
        await ada.call('POST', `/api/proxies/${id}/stop`);
        await ada.call('DELETE', `/api/proxies/${other.id}`);
        expect(await due()).to.have.length(2);
        await app.advance(31_000);
        await watcher.look();
        expect(relay.asked).to.equal([]);
        // For a while it may be about to be started again.
        expect(await due()).to.have.length(2);
        await app.advance(120_000);
        await watcher.look();
        expect(await due()).to.equal([]);
        expect(await app.redis.keys('tenant:{platform}:proxies:*')).to.equal([]);
        await ada.call('POST', `/api/proxies/${id}/start`);
        expect(await due()).to.equal([`${ada.tenantId}/${id}`]);
    });

    it('is looked at soon after its members were changed', async () => {
        const { watcher, id } = await newRunning();
        await ada.call('PATCH', `/api/proxies/${id}`, { payload: { config: { healthPath: '/api/tags' } } });
        await watcher.look();
        expect(relay.asked).to.have.length(1);
    });

    it('is looked at once more when it was changed in the middle of a check', async () => {
        const { watcher, id } = await newRunning();
        await app.advance(31_000);
        relay.during = () => ada.call('PATCH', `/api/proxies/${id}`, { payload: { strategy: 'round_robin' } });
        await watcher.look();
        relay.during = async () => undefined;
        for (let times = 0; times < 2; times++) await watcher.look();
        expect(relay.asked).to.have.length(2);
    });
});

describe('the check of a proxy', () => {
    it('is done by one of many processes, on two replicas', async () => {
        const { JWT_KEYS, VAULT_KEYS } = app.config;
        const [one, two] = await startReplicas({ redisPath: redis.path, config: { ...config, JWT_KEYS, VAULT_KEYS } });
        await newRunning(2);
        for (const replica of [app, one, two]) await replica.advance(40_000);
        const watchers = Array.from({ length: 9 }, (_, n) => newWatcher([app, one, two][n % 3] ?? app, relay));
        await Promise.all(watchers.map(({ look }) => look()));
        expect(relay.asked).to.have.length(2);
        await one.stop();
        await two.stop();
    });

    it('is done by another process when the one that took it has died', async () => {
        const { watcher, id } = await newRunning();
        await app.advance(31_000);
        // Taken, and never done.
        expect((await watcher.watch.take(1)).checks).to.have.length(1);
        await app.advance(60_000);
        await watcher.look();
        expect(relay.asked).to.equal([]);
        await app.advance(16_000);
        await newWatcher(app, relay).look();
        expect(relay.asked).to.have.length(1);
        expect((await memberOf(id)).successes).to.equal(3);
    });

    it('is left to others at once when the process stops in the middle of it', async () => {
        const { watcher, id } = await newRunning();
        await app.advance(31_000);
        const begun = new Promise<void>((resolve) => {
            relay.relay = (_user, _tunnelId, { gone }) => {
                resolve();
                return new Promise((_resolve, reject) => {
                    gone.addEventListener('abort', () => reject(new Error('Given up')));
                });
            };
        });
        const stopping = newWatcher(app, relay);
        const looking = stopping.look();
        await begun;
        await stopping.stop();
        await looking;
        await watcher.stop();
        expect((await memberOf(id)).failures).to.equal(0);
        relay.relay = new StandInRelay().relay;
        await newWatcher(app, relay).look();
        expect((await memberOf(id)).successes).to.equal(3);
        await stopping.look();
    });

    it('says nothing when it was held up for longer than its lease', async () => {
        const { id } = await newRunning();
        await app.advance(31_000);
        let heldUpMs = 0;
        relay.during = async () => (heldUpMs += 76_000);
        await newWatcher(app, relay, undefined, () => Date.now() + heldUpMs).look();
        expect(relay.asked).to.have.length(1);
        expect((await memberOf(id)).successes).to.equal(2);
    });

    it('says nothing of the members while Redis is away', async () => {
        const { id } = await newRunning();
        const { relay: answering } = relay;
        relay.relay = async () => {
            throw new Error('Connection is closed.');
        };
        await app.advance(31_000);
        await newWatcher(app, relay).look();
        expect(await memberOf(id)).to.include({ failures: 0, successes: 2 });
        relay.relay = answering;
        await app.advance(76_000);
        await newWatcher(app, relay).look();
        expect(await memberOf(id)).to.include({ failures: 0, successes: 3 });
    });

    it('has seen enough with the head of an answer, whatever becomes of the rest', async () => {
        const { id } = await newRunning();
        relay.relay = async () => ({
            status: 200,
            headers: [],
            // oxlint-disable-next-line require-yield -- it breaks off at once
            body: (async function* (): AsyncGenerator<Uint8Array> {
                throw new Error('It broke off');
            })(),
        });
        await app.advance(31_000);
        await newWatcher(app, relay).look();
        expect(await memberOf(id)).to.include({ failures: 0, successes: 3 });
    });

    it('of one proxy goes on when that of another fails', async () => {
        const { id } = await newRunning();
        const other = await newRunning(1, { name: 'other' });
        await app.advance(31_000);
        await app.redis.hset(recordsOf(app).key({ tenantId: ada.tenantId, proxyId: id }), 'config', 'broken');
        await newWatcher(app, relay).look();
        expect(relay.asked).to.equal(other.tunnelIds);
    });

    it('says nothing about a member that carries as much as it may', async () => {
        const { id, watcher, tunnelIds } = await newRunning();
        relay.relay = async () => {
            throw apiError('TUNNEL_BUSY');
        };
        const busy = newWatcher(app, relay);
        for (let times = 0; times < 3; times++) {
            await app.advance(31_000);
            await busy.look();
        }
        expect(await memberOf(id)).to.include({ tunnelId: tunnelIds[0], isHealthy: true, failures: 0 });
        await watcher.stop();
    });
});

describe('a proxy in error', () => {
    it('is looked at three times more, five seconds apart, and that it did not help is told once', async () => {
        const { id } = await newProxyWith(ada, 1, { config: { healthInterval: 300_000 } });
        relay.status = 0;
        relay.down.add((await read(id)).members[0].tunnelId);
        await ada.call('POST', `/api/proxies/${id}/start`);
        for (let tries = 1; tries <= 3; tries++) {
            expect(await failuresOf()).to.equal([]);
            await app.advance(1_000);
            // A process of its own for each: the tries are counted in the record.
            await newWatcher(app, relay).look();
            expect(relay.asked).to.have.length(tries - 1);
            await app.advance(4_000);
            await Promise.all([newWatcher(app, relay).look(), newWatcher(app, relay).look()]);
            expect(relay.asked).to.have.length(tries);
        }
        const told = (await failuresOf()).map(({ data }) => data);
        expect(told).to.equal([{ proxyId: id, userId: ada.userId, tries: 3 }]);
        expect(await memberOf(id)).to.include({ failures: 4, error: 'internal' });
        await app.advance(290_000);
        await newWatcher(app, relay).look();
        expect(relay.asked).to.have.length(3);
        await app.advance(10_000);
        await newWatcher(app, relay).look();
        expect(relay.asked).to.have.length(4);
        expect(await failuresOf()).to.have.length(1);
    });

    it('is looked at as often as its interval says, and the tries are still five seconds apart', async () => {
        const { id, watcher, tunnelIds } = await newRunning(1, { config: { healthInterval: 1_000 } });
        const place = { tenantId: ada.tenantId, proxyId: id };
        const [tunnelId = ''] = tunnelIds;
        relay.down.add(tunnelId);
        await watcher.look();
        const down = { isSuccess: false, latencyMs: null, error: 'lost' };
        for (let times = 0; times < 3; times++) await recordsOf(app).note(place, tunnelId, down);
        relay.asked.length = 0;
        for (let seconds = 1; seconds <= 11; seconds++) {
            await app.advance(1_000);
            await watcher.look();
        }
        expect(relay.asked.length).to.be.at.least(10);
        expect(await failuresOf()).to.equal([]);
        for (let seconds = 12; seconds <= 20; seconds++) {
            await app.advance(1_000);
            await watcher.look();
        }
        expect(await failuresOf()).to.have.length(1);
    });

    it('that traffic has found is looked at as soon, and runs again with its second success', async () => {
        const { id, watcher, tunnelIds } = await newRunning(1, { config: { healthInterval: 300_000 } });
        const place = { tenantId: ada.tenantId, proxyId: id };
        const down = { isSuccess: false, latencyMs: null, error: 'lost' };
        for (let times = 0; times < 3; times++) await recordsOf(app).note(place, tunnelIds[0] ?? '', down);
        expect((await read(id)).status).to.equal('error');
        for (let tries = 1; tries <= 2; tries++) {
            await app.advance(5_100);
            await watcher.look();
            expect(relay.asked).to.have.length(tries);
        }
        expect((await read(id)).status).to.equal('running');
        expect(await failuresOf()).to.equal([]);
        await app.advance(280_000);
        await watcher.look();
        expect(relay.asked).to.have.length(2);
    });

    it('whose tunnel was deleted says so', async () => {
        const { id, tunnelIds } = await newProxyWith(ada, 1);
        await ada.call('DELETE', `/api/tunnels/${tunnelIds[0]}`);
        await ada.call('POST', `/api/proxies/${id}/start`);
        expect(await memberOf(id)).to.include({ tunnelId: tunnelIds[0], isHealthy: false, error: 'not_found' });
        expect((await read(id)).members).to.have.length(1);
        const { diagnostics } = (await ada.call('GET', `/api/proxies/${id}/diagnostics`)).body.data;
        expect(diagnostics).to.equal([
            {
                tunnelId: tunnelIds[0],
                isFound: false,
                isConnected: false,
                isAnswering: false,
                status: null,
                latencyMs: null,
                error: 'not_found',
            },
        ]);
    });
});
