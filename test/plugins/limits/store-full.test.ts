import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { errorCodesOf } from '../../../plugins/docs/error-answers.ts';
import { memoryOf, type MemoryWatch } from '../../../src/redis/memory-watch.ts';
import { startApp, startReplicas, type Answer, type TestApp } from '../../helpers/app.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { openStream } from '../../helpers/stream.ts';
import { newTenant, platformToken, type TestTenant } from '../../helpers/tenant.ts';
import { messagesPath, newThread } from '../../helpers/thread.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, afterEach, after } = lab;

const BALLAST = Buffer.alloc(1_000_000, 'x');

/** What is sent by POST or PUT and makes no new data: it ends, steers, changes or signs in. */
const GOES_ON = [
    'post /api/admin/breakers/{name}/reset',
    'post /api/admin/jobs/{jobId}/retry',
    'post /api/admin/tenants/{tenantId}/activate',
    'post /api/admin/tenants/{tenantId}/restore',
    'post /api/admin/tenants/{tenantId}/suspend',
    'post /api/admin/tenants/{tenantId}/users/{userId}/activate',
    'post /api/admin/tenants/{tenantId}/users/{userId}/suspend',
    'post /api/admin/users/bulk',
    'post /api/auth/invitation/accept',
    'post /api/auth/login',
    'post /api/auth/logout',
    'post /api/auth/password',
    'post /api/auth/password/forgot',
    'post /api/auth/password/reset',
    'post /api/auth/refresh',
    // So that what is deleted is kept elsewhere: archives are not in Redis.
    'post /api/backups/create',
    'post /api/backups/{backupId}/verify',
    'post /api/billing/credits',
    'post /api/billing/refunds',
    'post /api/keys/{keyId}/rotate',
    'post /api/login',
    'post /api/logout',
    'post /api/models/{modelId}/load',
    'post /api/models/{modelId}/unload',
    'post /api/proxies/{proxyId}/scale',
    'post /api/proxies/{proxyId}/start',
    'post /api/proxies/{proxyId}/stop',
    'post /api/threads/{threadId}/models/{modelId}/messages/{messageId}/cancel',
    'post /api/tunnels/{tunnelId}/start',
    'post /api/tunnels/{tunnelId}/stop',
    'post /api/tunnels/{tunnelId}/token',
    'post /api/users/{userId}/invitation',
    'post /api/users/{userId}/password-reset',
    'post /api/users/{userId}/restore',
    'post /api/vms/{vmId}/restart',
    'post /api/vms/{vmId}/start',
    'post /api/vms/{vmId}/stop',
    'post /api/webhooks/{webhookId}/deliveries/{deliveryId}/retry',
    'post /api/webhooks/{webhookId}/rotate-secret',
    'put /api/backups/schedule',
    'put /api/backups/schedule/{scheduleId}',
    'put /api/billing/limits',
];

describe('a nearly full Redis', { timeout: 60_000 }, () => {
    let redis: TestRedis;
    let one: TestApp;
    let other: TestApp;
    let tenant: TestTenant;
    let thread: string;

    before(async () => {
        redis = await startRedis(['--maxmemory', '64mb']);
        const config = { SANDBOX_TOKEN_DELAY_MS: 20 };
        [one, other] = await startReplicas({ redisPath: redis.path, listen: true, config });
    });

    beforeEach(async () => {
        tenant = await newTenant(one);
        thread = await newThread(tenant);
    });

    afterEach(async () => {
        await free();
        await look();
    });

    after(async () => {
        await Promise.all([one.stop(), other.stop()]);
        await redis.stop();
    });

    const both = (isFull: boolean) => [one, other].every((app) => app.server.plugins.limits.memory.isFull === isFull);

    /** Has both look now, as they do every few seconds anyway. */
    const look = () => Promise.all([one, other].map((app) => (app.server.plugins.limits.memory as MemoryWatch).look()));

    /** Fills it up to 85 %. */
    const fill = async () => {
        for (let number = 0; ((await memoryOf(one.redis)) ?? 0) < 0.85; number++) {
            await one.redis.set(`ballast:${number}`, BALLAST);
        }
    };

    const free = async () => {
        const ballast = await one.redis.keys('ballast:*');
        if (ballast.length > 0) await one.redis.del(ballast);
    };

    const full = (answer: Answer) => {
        expectError(answer, 'STORE_FULL');
        expect(answer.headers['retry-after']).to.equal('30');
    };

    /** All that is there, but for what the processes say of themselves. */
    const contents = async () => {
        const keys = (await one.redis.keys('tenant:*')).filter((key) => !key.endsWith(':replicas'));
        const values = await Promise.all(keys.toSorted().map(async (key) => [key, await one.redis.dump(key)]));
        return JSON.stringify(values);
    };

    it('has what makes new data refused by every process, with nothing half done, and heals', async () => {
        await fill();
        while (!both(true)) await sleep(20);
        const before = await contents();
        for (const app of [one, other]) {
            const call = (method: string, url: string, payload: object) =>
                app.call(method, url, { payload, token: tenant.accessToken });
            full(await call('POST', '/api/threads', { title: 'Another' }));
            full(await call('POST', messagesPath(thread), { content: 'Hello' }));
            full(await call('POST', messagesPath(thread), { content: 'Hello', stream: true }));
            full(
                await call('POST', '/api/users', {
                    email: 'b@acme.example',
                    password: 'another password',
                    role: 'user',
                }),
            );
            full(await app.call('POST', '/api/auth/register', { payload: {} }));
            const completion = await call('POST', '/v1/chat/completions', { model: 'sandbox', messages: [] });
            expect(completion.status).to.equal(507);
            expect(completion.body.error).to.include({ type: 'server_error', code: 'store_full' });
        }
        expect(await contents()).to.equal(before);

        await free();
        while (!both(false)) await sleep(20);
        expect((await tenant.call('POST', messagesPath(thread), { payload: { content: 'Hello' } })).status).to.equal(
            200,
        );
        expect((await newTenant(other)).tenantId).to.be.a.string();
    });

    it('lets reading, changing, signing in and out, and deleting go on', async () => {
        const second = await newThread(tenant);
        await fill();
        await look();
        const status = async (method: string, url: string, payload?: object) =>
            (await tenant.call(method, url, payload && { payload })).status;
        const { email, password, tenantId } = tenant;
        const login = await one.call('POST', '/api/login', { payload: { email, password } });
        expect(login.status).to.equal(200);
        const { refreshToken, accessToken } = login.body.data;
        const refreshed = await other.call('POST', '/api/auth/refresh', { payload: { refreshToken } });
        expect(refreshed.status).to.equal(200);
        expect((await one.call('POST', '/api/logout', { token: accessToken })).status).to.equal(200);

        expect(await status('GET', '/api/threads')).to.equal(200);
        expect(await status('PATCH', `/api/threads/${thread}/title`, { title: 'Renamed' })).to.equal(200);
        expect(await status('DELETE', `/api/threads/${second}`)).to.equal(200);
        const admin = { token: await platformToken(one), payload: { reason: 'Too much' } };
        const suspended = await one.call('POST', `/api/admin/tenants/${tenantId}/suspend`, admin);
        expect(suspended.status).to.equal(200);
    });

    it('lets an answer that is being written come to its end, and be cancelled', async () => {
        const begin = async (threadId: string) => {
            const url = `${one.server.info.uri}${messagesPath(threadId)}`;
            const payload = { content: 'count to 100' };
            const stream = await openStream({ url, token: tenant.accessToken, payload });
            const [start] = await stream.until(({ event }) => event === 'token');
            return { stream, messageId: String(start?.data.messageId) };
        };
        const second = await newThread(tenant);
        const [kept, stopped] = await Promise.all([begin(thread), begin(second)]);
        await fill();
        await look();
        const path = `${messagesPath(second)}/${stopped.messageId}/cancel`;
        const { status, body } = await other.call('POST', path, { token: tenant.accessToken });
        expect(status).to.equal(200);
        expect(body.data.message.status).to.equal('cancelled');
        stopped.stream.leave();

        await kept.stream.rest();
        const messages = await tenant.call('GET', messagesPath(thread));
        const [answer] = messages.body.data.messages;
        expect(answer).to.include({ id: kept.messageId, status: 'complete' });
        expect(String(answer.content).endsWith(' 99 100')).to.be.true();
    });

    it('is told by health, and degrades it', async () => {
        const told = async () => {
            const { status, services } = (await other.call('GET', '/health')).body.data;
            return { status, ...services.database.memory };
        };
        const calm = await told();
        expect(calm).to.include({ status: 'healthy', isFull: false });
        expect(Number(calm.used)).to.be.between(0, 0.5);
        await fill();
        await look();
        const filled = await told();
        expect(filled).to.include({ status: 'degraded', isFull: true });
        expect(Number(filled.used)).to.be.between(0.84, 0.95);
        expect((await other.call('GET', '/health/ready')).status).to.equal(200);
    });

    it('is known to a process that begins from the first request on', async () => {
        await fill();
        await look();
        const { JWT_KEYS, VAULT_KEYS } = one.config;
        const third = await startApp({ redisPath: redis.path, config: { JWT_KEYS, VAULT_KEYS } });
        full(await third.call('POST', '/api/auth/register', { payload: {} }));
        await third.stop();
    });

    it('is documented where it refuses, and every POST and PUT says whether it does', () => {
        const writing = one.server.table().filter(({ method }) => ['post', 'put'].includes(method));
        const others = writing.filter(({ settings }) => settings.app?.grows !== true);
        expect(others.map(({ method, path }) => `${method} ${path}`).toSorted()).to.equal(GOES_ON);
        expect(writing.length - others.length).to.be.above(20);
        for (const route of writing) {
            const codes = errorCodesOf(route, { responses: {} }, route.method);
            expect(codes.includes('STORE_FULL'), route.path).to.equal(route.settings.app?.grows === true);
        }
        const rest = one.server.table().filter((route) => !writing.includes(route));
        expect(rest.filter(({ settings }) => settings.app?.grows)).to.equal([]);
    });
});
