import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { appendOutbox } from '../../../src/redis/append-outbox.ts';
import { outboxKeys } from '../../../src/redis/outbox.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { resumeStream, type OpenStream } from '../../helpers/stream.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newUser } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

describe('the live streams of a tenant', () => {
    let redis: TestRedis;
    let app: TestApp;
    let ada: TestTenant;
    let streams: OpenStream[];

    before(async () => {
        redis = await startRedis();
        app = await startApp({ redisPath: redis.path, listen: true });
        ada = await newTenant(app);
        const users = [ada, ...(await Promise.all([1, 2, 3].map(() => newUser(app, ada.tenantId, 'admin'))))];
        const tokens = users.flatMap(({ accessToken }) => Array.from({ length: 5 }, () => accessToken));
        const url = `${app.server.info.uri}/api/events/stream?types=thread.*`;
        streams = await Promise.all(tokens.map((token) => resumeStream(url, token)));
        await Promise.all(streams.map((stream) => stream.until(() => true)));
    });

    after(async () => {
        for (const stream of streams) stream.leave();
        await app.stop();
        await redis.stop();
    });

    it('read an event once for all of them', async () => {
        expect(streams).to.have.length(20);
        await app.redis.config('RESETSTAT');
        await appendOutbox(app.store)(ada.tenantId, { events: [{ type: 'thread.created', data: {} }] });
        await Promise.all(streams.map((stream) => stream.until(({ event }) => event === 'thread.created')));
        const [, calls = '0'] = /cmdstat_xrange:calls=(\d+)/.exec(await app.redis.info('commandstats')) ?? [];
        // The event, and that there is none after it; a look that falls in this time asks once more.
        expect(Number(calls)).to.be.between(0, 8);
    });

    it('find an event of which no signal came', async () => {
        await app.redis.xadd(outboxKeys(ada.tenantId)[0], '*', 'type', 'thread.deleted', 'data', '{}');
        await Promise.all(streams.map((stream) => stream.until(({ event }) => event === 'thread.deleted')));
    });
});
