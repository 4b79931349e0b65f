import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { resumeStream } from '../../helpers/stream.ts';
import { newTenant, platformToken } from '../../helpers/tenant.ts';
import { newUser } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const ROUTE = '/api/admin/replicas';

describe(`GET ${ROUTE}`, () => {
    let redis: TestRedis;
    let app: TestApp;
    let other: TestApp;
    let token: string;

    const list = async () => {
        const { status, body } = await app.call('GET', ROUTE, { token });
        expect(status).to.equal(200);
        // oxlint-disable-next-line typescript/no-explicit-any -- a test says what it expects of an answer
        return body.data.replicas as any[];
    };
    const replicaOf = (target: TestApp) => target.server.plugins.metrics;

    before(async () => {
        redis = await startRedis();
        app = await startApp({ redisPath: redis.path, listen: true, config: { VERSION: '1.2.3' } });
        other = await startApp({ redisPath: redis.path, config: { ROLE: 'worker' } });
        token = await platformToken(app);
    });

    after(async () => {
        await app.stop();
        await redis.stop();
    });

    it('lists nobody who has not told of himself', async () => {
        expect(await list()).to.equal([]);
    });

    it('lists what runs, the eldest first, with live figures', async () => {
        await replicaOf(app).announce();
        const ada = await newTenant(app);
        const stream = await resumeStream(`${app.server.info.uri}/api/events/stream`, ada.accessToken);
        await stream.until(({ event }) => event === 'ready');
        await Promise.all([replicaOf(app).announce(), replicaOf(other).announce()]);
        const [one, two, ...more] = await list();
        expect(more).to.equal([]);
        expect(one).to.include({ role: 'all', version: '1.2.3', streams: 1, generations: 0, tunnels: 0 });
        expect(two).to.include({ role: 'worker', streams: 0 });
        expect(one.id).to.match(/^replica_/);
        expect(Number(one.rssMb)).to.be.above(10);
        expect(Number(one.eventLoopDelayMs)).to.be.at.least(0);
        expect(one.startedAt < two.startedAt).to.be.true();
        expect(Date.now() - Date.parse(one.seenAt)).to.be.within(-5_000, 15_000);
        stream.leave();
    });

    it('lists one that is silent for 15 seconds no longer, and forgets it', async () => {
        await Promise.all([replicaOf(app).announce(), replicaOf(other).announce()]);
        await app.advance(14_000);
        expect(await list()).to.have.length(2);
        await app.advance(1_100);
        expect(await list()).to.equal([]);
        const key = 'tenant:{platform}:replicas';
        expect(await app.redis.hlen(key)).to.equal(2);
        await replicaOf(app).announce();
        expect(await app.redis.hlen(key)).to.equal(1);
        expect((await list()).map(({ role }) => role)).to.equal(['all']);
        expect(await app.redis.pttl(key)).to.be.within(1, 15_000);
    });

    it('lists one that stops no longer, from then on', async () => {
        await replicaOf(other).announce();
        const key = 'tenant:{platform}:replicas';
        const before = await app.redis.hlen(key);
        await other.stop();
        expect(await app.redis.hlen(key)).to.equal(before - 1);
    });

    it('goes on telling by itself', async () => {
        const [key, last] = ['tenant:{platform}:replicas', await app.redis.hvals('tenant:{platform}:replicas')];
        while (String(await app.redis.hvals(key)) === String(last)) await sleep(100);
        expect(await app.redis.hlen(key)).to.equal(1);
    });

    it('is told in the audit of the platform', async () => {
        const id = 'list-replicas-of-the-test';
        await app.call('GET', ROUTE, { token, headers: { 'x-request-id': id } });
        const entries = (await readAudit(app, 'platform')).filter(({ correlationId }) => correlationId === id);
        expect(entries).to.have.length(1);
        expect(entries[0]).to.include({ action: 'replica.list', result: 'success' });
    });

    it('is for the roles of the platform', async () => {
        for (const role of ['support', 'finance'] as const) {
            expect((await (await newUser(app, 'platform', role)).call('GET', ROUTE)).status).to.equal(200);
        }
        const { details } = expectError(await (await newTenant(app)).call('GET', ROUTE), 'FORBIDDEN');
        expect(details).to.equal({ permission: 'platform:read' });
        expectError(await app.call('GET', ROUTE), 'UNAUTHENTICATED');
    });

    it('is answered by a process that cannot tell of itself', async () => {
        await app.redis.del('tenant:{platform}:replicas');
        await app.redis.set('tenant:{platform}:replicas', 'in the way');
        await replicaOf(app).announce();
        const told = app.logs.filter(({ module, msg }) => module === 'metrics' && String(msg).includes('not told'));
        expect(told.length).to.be.at.least(1);
        await app.redis.del('tenant:{platform}:replicas');
    });
});
