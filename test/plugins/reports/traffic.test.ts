import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { TrafficStore } from '../../../plugins/reports/traffic-store.ts';
import { Traffic } from '../../../plugins/reports/traffic.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { startApp, startReplicas, type TestApp } from '../../helpers/app.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { readReport } from '../../helpers/reports.ts';
import { NOON, openStore, silentLogger, type TestStore } from '../../helpers/store.ts';
import { newTenant, platformToken } from '../../helpers/tenant.ts';
import { newUser } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after, afterEach } = lab;

const DAY_MS = 86_400_000;
const HOUR_KEY = tenantKey('platform', 'traffic', 'hour', '2026112012');

describe('Traffic', () => {
    let redis: TestRedis;
    let opened: TestStore;
    let store: TrafficStore;

    before(async () => {
        redis = await startRedis();
    });

    beforeEach(async () => {
        opened = await openStore(redis.path);
        await opened.redis.flushall();
        store = new TrafficStore(opened.store);
    });

    afterEach(() => opened.close());
    after(() => redis.stop());

    it('counts requests and errors by hour, day and month, in keys that expire', async () => {
        const traffic = new Traffic(store, 'one', silentLogger);
        traffic.count({ at: NOON, userId: 'ada' });
        traffic.count({ at: NOON, errorCode: 'RATE_LIMITED' });
        traffic.count({ at: NOON + 3_600_000 });
        expect(await opened.redis.exists(HOUR_KEY)).to.equal(0);
        await traffic.flush();
        await traffic.flush();
        const hour = { requests: '2', errors: '1', 'code:RATE_LIMITED': '1' };
        expect(await opened.redis.hgetall(HOUR_KEY)).to.equal(hour);
        const whole = { ...hour, requests: '3' };
        const day = tenantKey('platform', 'traffic', 'day', '20261120');
        expect(await opened.redis.hgetall(day)).to.equal(whole);
        expect(await opened.redis.hgetall(tenantKey('platform', 'traffic', 'month', '202611'))).to.equal(whole);
        expect(await opened.redis.ttl(HOUR_KEY)).to.be.within(8 * 86_400 - 60, 8 * 86_400);
        expect(await opened.redis.ttl(day)).to.be.within(400 * 86_400 - 60, 400 * 86_400);
    });

    it('counts a batch once whose answer was lost, and what came meanwhile with the next', async () => {
        let losses = 2;
        const losing = {
            count: async (...batch: Parameters<TrafficStore['count']>) => {
                // The first is lost on the way there, the second on the way back.
                if (losses-- === 2) throw new Error('Redis is away');
                const counted = await store.count(...batch);
                if (losses === 0) throw new Error('Redis is away');
                return counted;
            },
        } as TrafficStore;
        const traffic = new Traffic(losing, 'one', silentLogger);
        for (let n = 0; n < 3; n++) {
            traffic.count({ at: NOON });
            await traffic.flush();
        }
        expect(await opened.redis.hget(HOUR_KEY, 'requests')).to.equal('3');
    });

    it('counts all of many processes that tell at once', async () => {
        const processes = Array.from({ length: 10 }, (_, n) => new Traffic(store, `process ${n}`, silentLogger));
        for (let times = 0; times < 5; times++) {
            for (const traffic of processes) traffic.count({ at: NOON, userId: `user ${times}` });
            await Promise.all(processes.flatMap((traffic) => [traffic.flush(), traffic.flush()]));
        }
        expect(await opened.redis.hget(HOUR_KEY, 'requests')).to.equal('50');
        expect(await opened.redis.pfcount(tenantKey('platform', 'traffic', 'active', '20261120'))).to.equal(5);
    });
});

describe('the requests of replicas', () => {
    let redis: TestRedis;
    let apps: [TestApp, TestApp];

    before(async () => {
        redis = await startRedis();
        const config = { ACCESS_TOKEN_TTL: (100 * DAY_MS) / 1_000 };
        apps = await startReplicas({ redisPath: redis.path, config });
    });

    after(async () => {
        for (const app of apps) await app.stop();
        await redis.stop();
    });

    it('stand on the dashboard with their errors and users, and leave it with time', async () => {
        const [one, two] = apps;
        const flush = () => Promise.all(apps.map(({ server }) => server.plugins.reports.flush()));
        const dashboard = () => readReport(one, token, 'dashboard');
        const token = await platformToken(one);
        const ada = await newTenant(one);
        const bob = await newUser(two, ada.tenantId, 'user');
        await flush();
        const before = await dashboard();
        expect(before.requests).to.have.length(24);
        expect(before.requests.at(-1).period).to.equal(new Date().toISOString().slice(0, 13));

        await bob.call('GET', '/api/threads');
        await two.call('GET', '/v1/models', { token: ada.accessToken });
        for (const app of apps) await app.call('GET', '/api/threads');
        await one.call('GET', '/health/live');
        await flush();
        const { usage, errors, requests, users } = await dashboard();
        // The dashboard itself is one of them.
        expect(usage.requestsToday).to.equal(before.usage.requestsToday + 5);
        expect(usage.requestsThisMonth).to.equal(usage.requestsToday);
        expect(errors).to.equal({ today: 2, byCode: [{ code: 'UNAUTHENTICATED', count: 2 }] });
        expect(requests.at(-1)).to.include({ count: usage.requestsToday, errors: 2 });
        // Not the one who asks.
        expect(users.active30d).to.equal(2);
        const report = await readReport(one, token, 'reports/errors?count=2');
        expect(report.periods[1]).to.include({ total: 2, byCode: { UNAUTHENTICATED: 2 } });
        expect(report.periods[0]).to.include({ total: 0, byCode: {} });

        await one.advance(40 * DAY_MS);
        const later = await dashboard();
        expect(later.users.active30d).to.equal(0);
        expect([later.usage.requestsToday, later.errors.today, later.requests.at(-1).count]).to.equal([0, 0, 0]);
    });

    it('are told at the latest when the process drains', async () => {
        const [one] = apps;
        const stopping = await startApp({ redisPath: redis.path });
        const own = await newTenant(stopping);
        await own.call('GET', '/api/threads');
        const month = tenantKey('platform', 'traffic', 'month', new Date().toISOString().slice(0, 7).replace('-', ''));
        const count = async () => Number(await one.redis.hget(month, 'requests'));
        const counted = await count();
        stopping.drain.begin();
        await stopping.stop();
        expect(await count()).to.equal(counted + 2);
    });
});
