import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../helpers/app.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';

export const lab = Lab.script();
const { describe, it, before, after, beforeEach, afterEach } = lab;

/** More than any limit of a route. */
const MANY = 120;

async function statusesOf(app: TestApp, path: string): Promise<number[]> {
    const answers = await Promise.all(Array.from({ length: MANY }, () => app.call('GET', path, { from: '10.1.2.3' })));
    return [...new Set(answers.map(({ status }) => status))];
}

describe('GET /health/live', () => {
    let app: TestApp;

    before(async () => {
        app = await startApp();
    });

    after(() => app.stop());

    it('says that the process lives, to anybody and as often as they ask', async () => {
        const { status, body, headers } = await app.call('GET', '/health/live');
        expect(status).to.equal(200);
        expect(body.data).to.equal({ status: 'alive' });
        expect(headers).to.not.include('x-ratelimit-limit');
        expect(await statusesOf(app, '/health/live')).to.equal([200]);
    });
});

describe('GET /health/ready', () => {
    let redis: TestRedis;
    let app: TestApp;

    beforeEach(async () => {
        redis = await startRedis();
        app = await startApp({ redisPath: redis.path });
    });

    afterEach(async () => {
        await app.stop();
        await redis.stop();
    });

    it('says that the process may be sent requests, as often as they ask', async () => {
        const { status, body } = await app.call('GET', '/health/ready');
        expect(status).to.equal(200);
        expect(body.data).to.equal({ status: 'ready' });
        expect(await statusesOf(app, '/health/ready')).to.equal([200]);
    });

    it('refuses from when the process leaves, which lives on', async () => {
        app.drain.leave();
        const { status, body } = await app.call('GET', '/health/ready');
        expect(status).to.equal(503);
        expect(body.error).to.include({ code: 'SHUTTING_DOWN', category: 'service_unavailable' });
        expect((await app.call('GET', '/health/live')).status).to.equal(200);
    });

    it('refuses while Redis is away, and the process lives on', async () => {
        await redis.stop();
        const { status, body } = await app.call('GET', '/health/ready');
        expect(status).to.equal(503);
        expect(body.error.code).to.equal('STORE_UNAVAILABLE');
        expect((await app.call('GET', '/health/live')).status).to.equal(200);
    });
});
