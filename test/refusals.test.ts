import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { PLATFORM_ADMIN, startApp, type Answer, type CallOptions, type TestApp } from './helpers/app.ts';
import { expectError } from './helpers/expect-error.ts';
import { summaryPath } from './helpers/summary.ts';
import { newTenant, platformToken, type TestTenant } from './helpers/tenant.ts';
import { messagesPath, newThread } from './helpers/thread.ts';
import { newEndpoint, newShare, newTunnel } from './helpers/tunnel.ts';
import { newUser } from './helpers/user.ts';
import { tenantKey } from '../src/redis/keys.ts';

import type { ErrorCode } from '../src/http/errors.ts';

export const lab = Lab.script();
const { describe, it, before, after, beforeEach } = lab;

const MESSAGE = 'msg_00000000000000000000000000';
const STALE = { headers: { 'if-match': '"99"' } };
const FOREIGN = '?cursor=foreign';

/** What is the same on many routes, asked of each of them that says so. The routes' own tests are beside their features. */
describe('Routes refuse as they say', () => {
    let app: TestApp;
    let tenant: TestTenant;

    before(async () => {
        app = await startApp();
    });

    after(() => app.stop());

    beforeEach(async () => {
        tenant = await newTenant(app);
    });

    const post = (url: string, payload: object, options: CallOptions = {}) =>
        app.call('POST', url, { payload, ...options });

    /** Asks each `METHOD url`, as the tenant's admin unless somebody else does. */
    const expectEach = async (code: ErrorCode, asked: string[], options: CallOptions = {}, who = tenant.call) => {
        for (const line of asked) {
            const [method = '', url = ''] = line.split(' ');
            const answer = await who(method, url, options);
            expect(answer.body?.error?.code, line).to.equal(code);
            expectError(answer, code);
        }
    };

    it('a cursor that is not theirs', async () => {
        const tunnel = `/api/tunnels/${await newTunnel(tenant)}`;
        const lists = ['/api/keys', `${tunnel}/shares`, `${tunnel}/endpoints`];
        await expectEach(
            'INVALID_CURSOR',
            lists.map((path) => `GET ${path}${FOREIGN}`),
        );
    });

    it('a model that is not there', async () => {
        const thread = await newThread(tenant);
        const messages = messagesPath(thread, 'nobody');
        const summary = summaryPath(thread, 'nobody');
        const reads = [`GET ${messages}`, `GET ${messages}/${MESSAGE}`, `GET ${summary}`, `DELETE ${summary}`];
        await expectEach('MODEL_NOT_FOUND', [...reads, `POST ${messages}/${MESSAGE}/cancel`]);
        await expectEach('MODEL_NOT_FOUND', [`POST ${messages}/${MESSAGE}/regenerate`], { payload: {} });
    });

    it('a change of what is not as it was read', async () => {
        const { body } = await tenant.call('GET', '/api/backups/schedule');
        const schedule = `/api/backups/schedule?id=${body.data.schedules[0].id}`;
        const key = await tenant.call('POST', '/api/keys', { payload: { name: 'A key', scopes: ['thread:read'] } });
        await expectEach(
            'REVISION_MISMATCH',
            [`DELETE ${schedule}`, `DELETE /api/keys/${key.body.data.key.id}`],
            STALE,
        );
        await expectEach('REVISION_MISMATCH', [`PUT ${schedule}`], { ...STALE, payload: { enabled: true } });
        const none = '/api/backups/schedule?id=schedule_00000000000000000000000000';
        await expectEach('SCHEDULE_NOT_FOUND', [`PUT ${none}`], { payload: { enabled: true } });
    });

    it('who may read a tunnel and not change it', async () => {
        const id = await newTunnel(tenant);
        const { userId, call } = await newUser(app, tenant.tenantId, 'user');
        const share = await newShare(tenant, id, { userId });
        const endpoint = `/api/tunnels/${id}/endpoints/${await newEndpoint(tenant, id)}`;
        const deleted = [`DELETE ${endpoint}`, `DELETE /api/tunnels/${id}/shares/${share.id}`];
        await expectEach('FORBIDDEN', deleted, {}, call);
        await expectEach('FORBIDDEN', [`PATCH ${endpoint}`], { payload: { priority: 9 } }, call);
    });

    it('an address that asks too often', () =>
        app.inNoTime(async () => {
            const from = '10.1.2.3';
            const often = async (times: number, ask: () => Promise<Answer>) => {
                for (let time = 0; time < times; time++) expect((await ask()).status).to.not.equal(429);
                expectError(await ask(), 'RATE_LIMITED');
            };
            await often(60, () => app.call('GET', '/api/errors', { from }));
            const reset = { token: 'none', newPassword: 'a password that nobody guesses' };
            await often(5, () => post('/api/auth/password/reset', reset, { from }));
        }));

    it('an account whose password was guessed at', () =>
        app.inNoTime(async () => {
            const { email } = tenant;
            const guess = () => post('/api/auth/login', { email, password: 'a wrong password' });
            for (let time = 0; time < 5; time++) expectError(await guess(), 'INVALID_CREDENTIALS');
            expectError(await guess(), 'ACCOUNT_DELAYED');
            const payload = { password: tenant.password };
            await expectEach('ACCOUNT_DELAYED', ['DELETE /api/profile'], { payload });
        }));

    it('a tenant that is being restored', async () => {
        await app.redis.hset(tenantKey(tenant.tenantId, 'info'), 'restoring', 'restore_x');
        const { email, password } = tenant;
        expectError(await post('/api/auth/login', { email, password }), 'TENANT_RESTORING');
    });

    it('a session that is over', async () => {
        await tenant.call('POST', '/api/auth/logout');
        await expectEach('SESSION_ENDED', ['GET /api/events/stream']);
    });

    it('a refund for a tenant that was deleted', async () => {
        const { tenantId } = tenant;
        const token = await platformToken(app);
        expect((await app.call('DELETE', `/api/admin/tenants/${tenantId}`, { token })).status).to.equal(200);
        const payload = { tenantId, recordId: 'bill_00000000000000000000000000', reason: 'It was deleted' };
        const headers = { 'idempotency-key': 'a refund' };
        expectError(await app.call('POST', '/api/billing/refunds', { token, payload, headers }), 'ALREADY_DELETED');
    });

    it('a tunnel’s hundred and first share', async () => {
        const id = await newTunnel(tenant);
        const shares = `/api/tunnels/${id}/shares`;
        let answer = await tenant.call('POST', shares, { payload: {} });
        for (let count = 1; answer.status === 201 && count < 200; count++) {
            if (count % 10 === 0) await app.advance(60_000);
            answer = await tenant.call('POST', shares, { payload: {} });
        }
        expectError(answer, 'QUOTA_EXCEEDED');
    });
});

describe('A server that is about to stop', () => {
    it('gives no answer anew', async () => {
        const app = await startApp();
        const tenant = await newTenant(app);
        const thread = await newThread(tenant);
        const path = messagesPath(thread);
        const { body } = await tenant.call('POST', path, { payload: { content: 'Hi' } });
        app.drain.begin();
        const again = `${path}/${body.data.assistantMessage.id}/regenerate`;
        expectError(await tenant.call('POST', again, { payload: {} }), 'SHUTTING_DOWN');
        await app.stop();
    });
});

describe('A server with too much to do', () => {
    it('refuses what hashes a password first, and all else past twice the mark', async () => {
        let delayMs = 0;
        let looks = 0;
        const measureLoad = () => {
            looks += 1;
            return { delayMs, rssMb: 1 };
        };
        const app = await startApp({ measureLoad, config: { MAX_EVENT_LOOP_DELAY_MS: 500, MAX_RSS_MB: 450 } });
        const { tenantId, accessToken } = await newTenant(app);
        const token = await platformToken(app);
        const become = async (next: number) => {
            delayMs = next;
            for (const seen = looks; looks <= seen;) await sleep(10);
        };
        const hashing: [url: string, token?: string][] = [
            ['/api/auth/login'],
            ['/api/auth/invitation/accept'],
            ['/api/auth/password/reset'],
            ['/api/auth/password', accessToken],
            ['/api/users', accessToken],
            ['/api/admin/tenants', token],
        ];
        await become(600);
        for (const [url, as] of hashing) {
            const answer = await app.call('POST', url, { payload: PLATFORM_ADMIN, ...(as && { token: as }) });
            expect(answer.body.error.code, url).to.equal('SERVER_BUSY');
            expectError(answer, 'SERVER_BUSY');
        }
        await become(1_100);
        const rename = { payload: { name: 'New' }, token };
        expectError(await app.call('PATCH', `/api/admin/tenants/${tenantId}`, rename), 'SERVER_BUSY');
        const leave = { payload: { password: 'any' }, token: accessToken };
        expectError(await app.call('DELETE', '/api/profile', leave), 'SERVER_BUSY');
        await app.stop();
    });
});
