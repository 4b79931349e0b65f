import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { PNG } from '../../helpers/images.ts';
import { newEmail, createUser, newMember } from '../../helpers/invite.ts';
import { DAYS, type TestQueue } from '../../helpers/jobs.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { messagesPath } from '../../helpers/thread.ts';
import { newUser, type TestUser } from '../../helpers/user.ts';
import { startWithWorker, type AppWithWorker } from '../../helpers/with-worker.ts';

import type { TestApp } from '../../helpers/app.ts';

export const lab = Lab.script();
const { describe, it, beforeEach, afterEach } = lab;

describe('DELETE /api/users/{userId}', () => {
    let app: TestApp;
    let jobs: TestQueue;
    let due: AppWithWorker['due'];
    let stop: AppWithWorker['stop'];
    let tenant: TestTenant;
    let user: TestUser;
    let url: string;

    const remove = () => tenant.call('DELETE', url);
    const restore = () => tenant.call('POST', `${url}/restore`);
    const keysOf = (id: string) => app.redis.keys(tenantKey(tenant.tenantId, `*${id}*`));
    const addThreads = async (count: number) => {
        for (let n = 0; n < count; n++) {
            const { body } = await user.call('POST', '/api/threads', { payload: { title: `Thread ${n}` } });
            await user.call('POST', messagesPath(body.data.thread.id), { payload: { content: 'Hello' } });
        }
    };

    beforeEach(async () => {
        ({ app, jobs, due, stop } = await startWithWorker());
        tenant = await newTenant(app);
        user = await newUser(app, tenant.tenantId, 'user');
        url = `/api/users/${user.userId}`;
    });

    afterEach(() => stop());

    it('ends every session of the user, who stays to be seen and keeps the e-mail address', async () => {
        const { status, headers, body } = await remove();
        expect([status, headers.etag]).to.equal([200, '"2"']);
        expect(body.data.user).to.include({ id: user.userId, isActive: false });
        expect(body.data.user.deletedAt).to.be.a.string();
        expectError(await user.call('GET', '/api/auth/me'), 'USER_DISABLED');
        const payload = { email: user.email, password: user.password, tenantId: tenant.tenantId };
        expectError(await app.call('POST', '/api/login', { payload }), 'USER_DISABLED');
        expect((await tenant.call('GET', url)).body.data.user).to.equal(body.data.user);
        expectError(await createUser(tenant, { email: user.email }), 'EMAIL_TAKEN');
        const entry = (await readAudit(app, tenant.tenantId)).find(({ action }) => action === 'user.delete');
        expect(entry).to.include({ resourceId: user.userId, userId: tenant.userId, result: 'success' });
    });

    it('destroys provider keys and avatar at once', async () => {
        const key = (...parts: string[]) => tenantKey(tenant.tenantId, 'user', user.userId, ...parts);
        await user.call('PUT', '/api/profile/avatar', { payload: PNG, headers: { 'content-type': 'image/png' } });
        await app.redis.hset(key('provider-keys'), 'openai', 'sealed');
        await app.redis.hset(key(), 'providerKeys', 'openai');
        await tenant.call('PATCH', url, { payload: { displayName: 'King' } });
        expect(await app.redis.exists(key('avatar'), key('provider-keys'))).to.equal(2);
        await remove();
        expect(await app.redis.exists(key('avatar'), key('provider-keys'))).to.equal(0);
        expect(await app.redis.hexists(key(), 'providerKeys')).to.equal(0);
    });

    it('takes no change of a deleted user, and no second deletion of 5 at once', async () => {
        const answers = await Promise.all(Array.from({ length: 5 }, remove));
        expect(answers.filter(({ status }) => status === 200)).to.have.length(1);
        for (const answer of answers.filter(({ status }) => status !== 200)) expectError(answer, 'ALREADY_DELETED');
        expectError(await tenant.call('PATCH', url, { payload: { isActive: true } }), 'ALREADY_DELETED');
    });

    it('is taken back by a restore, but for the sessions', async () => {
        expectError(await restore(), 'NOT_RESTORABLE');
        await remove();
        const { status, body } = await restore();
        expect(status).to.equal(200);
        expect(body.data.user).to.include({ isActive: true, deletedAt: null, revision: 3 });
        expectError(await user.call('GET', '/api/auth/me'), 'SESSION_ENDED');
        const payload = { email: user.email, password: user.password, tenantId: tenant.tenantId };
        expect((await app.call('POST', '/api/login', { payload })).status).to.equal(200);
        expectError(await restore(), 'NOT_RESTORABLE');
        await due();
        expect((await tenant.call('GET', url)).status).to.equal(200);
    });

    it('counts an admin again who is restored', async () => {
        const admin = await newMember(tenant, { role: 'admin' });
        await tenant.call('DELETE', `/api/users/${admin}`);
        const resign = () => tenant.call('PATCH', `/api/users/${tenant.userId}`, { payload: { role: 'user' } });
        expectError(await resign(), 'LAST_ADMIN');
        await tenant.call('POST', `/api/users/${admin}/restore`);
        expect((await resign()).status).to.equal(200);
    });

    it('removes everything of the user after 30 days, and the e-mail address is free', async () => {
        await addThreads(3);
        await user.call('PATCH', '/api/profile', {
            payload: { displayName: 'King', settings: { systemPrompt: 'Be' } },
        });
        await user.call('POST', '/api/keys', { payload: { name: 'Mine', scopes: ['thread:read'] } });
        await tenant.call('POST', '/api/keys', { payload: { name: 'Not yours', scopes: ['thread:read'] } });
        const own = await newUser(app, tenant.tenantId, 'user');
        await own.call('POST', '/api/threads', { payload: { title: 'Not yours' } });
        await remove();
        await app.advance(30 * DAYS);
        expectError(await restore(), 'NOT_RESTORABLE');
        await due();
        expectError(await tenant.call('GET', url), 'USER_NOT_FOUND');
        const rates = tenantKey(tenant.tenantId, 'rate');
        const left = await keysOf(user.userId);
        expect(left.filter((key) => !key.startsWith(rates))).to.equal([]);
        for (const key of left) expect(await app.redis.ttl(key)).to.be.within(0, 60);
        // The thread, and what it is found by.
        expect(await app.redis.keys(tenantKey(tenant.tenantId, 'thread', '*'))).to.have.length(2);
        expect(await app.redis.keys(tenantKey(tenant.tenantId, 'key', '*'))).to.have.length(1);
        expect(await app.redis.keys(tenantKey(tenant.tenantId, 'session', '*'))).to.have.length(2);
        expect((await tenant.call('GET', '/api/users?q=user')).body.data.users).to.have.length(1);
        for (const index of ['terms', 'admins']) {
            const members = await app.redis.zrange(tenantKey(tenant.tenantId, 'users', index), 0, '-1');
            expect(members.filter((member) => member.includes(user.userId))).to.equal([]);
        }
        const { totalCount } = (await tenant.call('GET', '/api/users')).body.pagination;
        expect(totalCount).to.equal(2);
        expect((await createUser(tenant, { email: user.email })).status).to.equal(201);
        const entry = (await readAudit(app, tenant.tenantId)).filter(({ action }) => action === 'user.purge');
        expect(entry).to.have.length(1);
    });

    it('removes nothing of a user that was deleted again since, until its own time', async () => {
        await remove();
        await app.advance(20 * DAYS);
        await restore();
        await remove();
        await app.advance(15 * DAYS);
        await due();
        expect((await tenant.call('GET', url)).body.data.user.deletedAt).to.be.a.string();
        const delays = (await jobs.delayed()).map(({ delay }) => Math.round(delay / DAYS));
        expect(new Set(delays)).to.equal(new Set([15]));
        await app.advance(15 * DAYS);
        await due();
        expectError(await tenant.call('GET', url), 'USER_NOT_FOUND');
    });

    it('removes an invitation with the user', async () => {
        const invited = (await createUser(tenant, { email: newEmail() })).body.data.user.id;
        await tenant.call('DELETE', `/api/users/${invited}`);
        await app.advance(31 * DAYS);
        await due();
        expect(await keysOf(invited)).to.equal([]);
    });

    it('goes on where a purge failed, and may be repeated when it is done', async () => {
        const { users } = app.server.plugins;
        await addThreads(2);
        await remove();
        await app.advance(31 * DAYS);
        let failures = 2;
        users.onPurge(async () => {
            if (failures-- > 0) throw new Error('The process dies here');
        });
        const purge = () => users.purge(tenant.tenantId, user.userId);
        await expect(purge()).to.reject('The process dies here');
        expect((await tenant.call('GET', url)).status).to.equal(200);
        await expect(purge()).to.reject();
        await Promise.all([purge(), purge(), purge()]);
        expectError(await tenant.call('GET', url), 'USER_NOT_FOUND');
        await purge();
        const entries = (await readAudit(app, tenant.tenantId)).filter(({ action }) => action === 'user.purge');
        expect(entries).to.have.length(1);
    });

    it('asks for one purge however often it is refused, and for none of who does not exist', async () => {
        const unknown = '/api/users/user_00000000000000000000000000';
        for (let n = 0; n < 5; n++) {
            expectError(await tenant.call('DELETE', `/api/users/${tenant.userId}`), 'LAST_ADMIN');
            expectError(await tenant.call('DELETE', unknown), 'USER_NOT_FOUND');
        }
        const [job, ...more] = await jobs.delayed();
        expect(job?.data).to.include({ tenantId: tenant.tenantId, userId: tenant.userId });
        expect(more).to.equal([]);
        await app.advance(31 * DAYS);
        await due();
        expect((await tenant.call('GET', '/api/auth/me')).status).to.equal(200);
    });

    it('is refused whole when the purge cannot be asked for', async () => {
        await app.redis.set(tenantKey('platform', 'jobs', 'maintenance', 'delayed'), 'in the way');
        const { status } = await remove();
        expect(status).to.equal(500);
        expect((await user.call('GET', '/api/auth/me')).status).to.equal(200);
    });
});
