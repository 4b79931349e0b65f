import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { startReplicas, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { newEmail, newMember } from '../../helpers/invite.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newUser } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const UNKNOWN = '/api/users/user_00000000000000000000000000';

describe('PATCH /api/users/{userId}', () => {
    let app: TestApp;
    let replica: TestApp;
    let tenant: TestTenant;
    const update = (userId: string, payload: object, headers = {}) =>
        tenant.call('PATCH', `/api/users/${userId}`, { payload, headers });

    before(async () => {
        [app, replica] = await startReplicas();
    });

    beforeEach(async () => {
        tenant = await newTenant(app);
    });

    after(() => Promise.all([app.stop(), replica.stop()]));

    it('changes what is given and nothing else, and is audited by the names of the fields', async () => {
        const id = await newMember(tenant);
        const before = (await tenant.call('GET', `/api/users/${id}`)).body.data.user;
        const { status, headers, body } = await update(id, { displayName: 'Robert', tier: 'premium' });
        expect([status, headers.etag]).to.equal([200, '"2"']);
        const { updatedAt } = body.data.user;
        expect(body.data.user).to.equal({ ...before, displayName: 'Robert', tier: 'premium', revision: 2, updatedAt });
        expect((await tenant.call('GET', `/api/users/${id}`)).body.data.user).to.equal(body.data.user);
        const entry = (await readAudit(app, tenant.tenantId)).at(-1);
        expect(entry).to.include({
            action: 'user.update',
            resourceId: id,
            details: '{"fields":["displayName","tier"]}',
        });
        expect((await update(id, { tier: null })).body.data.user.tier).to.be.null();
    });

    it('frees the e-mail address that is given up, and gives the new one to one of 15 at once', async () => {
        const ids = await Promise.all(Array.from({ length: 15 }, () => newMember(tenant)));
        const [old, wanted] = [newEmail(), newEmail()];
        const first = await newMember(tenant, { email: old });
        const answers = await Promise.all([...ids, first].map((id) => update(id, { email: wanted })));
        expect(answers.filter(({ status }) => status === 200)).to.have.length(1);
        for (const answer of answers.filter(({ status }) => status !== 200)) expectError(answer, 'EMAIL_TAKEN');
        await update(first, { email: newEmail() });
        const second = await newMember(tenant, { email: old });
        const payload = { email: old, password: 'a password of Bob', tenantId: tenant.tenantId };
        const login = await app.call('POST', '/api/login', { payload });
        expect(login.body.data.user).to.include({ id: second, username: old });
        const index = await app.redis.hgetall(tenantKey(tenant.tenantId, 'users', 'by-email'));
        expect(Object.values(index).toSorted()).to.equal([tenant.userId, first, second, ...ids].toSorted());
    });

    it('holds from the next request on, on every replica', async () => {
        const admin = await newUser(app, tenant.tenantId, 'admin');
        const list = () => replica.call('GET', '/api/users', { token: admin.accessToken });
        expect((await list()).status).to.equal(200);
        await update(admin.userId, { role: 'user' });
        expectError(await list(), 'FORBIDDEN');
        await update(admin.userId, { isActive: false });
        expectError(await list(), 'USER_DISABLED');
    });

    it('ends the sessions of who is disabled, also for when he is back', async () => {
        const user = await newUser(app, tenant.tenantId, 'user');
        await update(user.userId, { isActive: false });
        expectError(await user.call('GET', '/api/auth/me'), 'USER_DISABLED');
        await update(user.userId, { isActive: true });
        expectError(await user.call('GET', '/api/auth/me'), 'SESSION_ENDED');
        const { refreshToken } = user;
        expectError(await app.call('POST', '/api/auth/refresh', { payload: { refreshToken } }), 'SESSION_ENDED');
    });

    it('keeps the last active admin', async () => {
        expectError(await update(tenant.userId, { role: 'user' }), 'LAST_ADMIN');
        expectError(await update(tenant.userId, { isActive: false }), 'LAST_ADMIN');
        expectError(await tenant.call('DELETE', `/api/users/${tenant.userId}`), 'LAST_ADMIN');
        expect((await update(tenant.userId, { displayName: 'Still here' })).body.data.user.role).to.equal('admin');
    });

    it('keeps one of ten admins who demote, disable and delete each other at once', async () => {
        const others = await Promise.all(Array.from({ length: 9 }, () => newUser(app, tenant.tenantId, 'admin')));
        const ids = [tenant.userId, ...others.map(({ userId }) => userId)];
        const ways = [
            (id: string) => tenant.call('PATCH', `/api/users/${id}`, { payload: { role: 'user' } }),
            (id: string) => tenant.call('PATCH', `/api/users/${id}`, { payload: { isActive: false } }),
            (id: string) => tenant.call('DELETE', `/api/users/${id}`),
        ];
        // The one who calls goes last: the others must not fail for want of permission only.
        const actors = [...ids.slice(1), tenant.userId];
        const answers = await Promise.all(actors.map((id, n) => (ways[n % 3] as (id: string) => Promise<unknown>)(id)));
        const codes = (answers as { body: { error?: { code: string } } }[]).map(({ body }) => body.error?.code ?? 'OK');
        expect(codes.filter((code) => code === 'OK').length).to.be.at.most(9);
        expect(await app.redis.zcard(tenantKey(tenant.tenantId, 'users', 'admins'))).to.be.at.least(1);
        expect(codes.filter((code) => code === 'LAST_ADMIN')).to.have.length(1);
    });

    it('changes the revision of If-Match only, and for one of 10 at once', async () => {
        const id = await newMember(tenant);
        const all = Array.from({ length: 10 }, (_, n) =>
            update(id, { displayName: `Bob ${n}` }, { 'if-match': '"1"' }),
        );
        const answers = await Promise.all(all);
        expect(answers.filter(({ status }) => status === 200)).to.have.length(1);
        for (const answer of answers.filter(({ status }) => status !== 200)) expectError(answer, 'REVISION_MISMATCH');
        const stale = await tenant.call('DELETE', `/api/users/${id}`, { headers: { 'if-match': '"1"' } });
        expectError(stale, 'REVISION_MISMATCH');
    });

    it('knows no user that does not exist or is of another tenant', async () => {
        const other = await newTenant(app);
        for (const url of [UNKNOWN, `/api/users/${other.userId}`]) {
            expectError(await tenant.call('GET', url), 'USER_NOT_FOUND');
            expectError(await tenant.call('PATCH', url, { payload: { role: 'user' } }), 'USER_NOT_FOUND');
            expectError(await tenant.call('DELETE', url), 'USER_NOT_FOUND');
            expectError(await tenant.call('POST', `${url}/restore`), 'USER_NOT_FOUND');
        }
    });

    it('refuses who is no admin, and what is wrong', async () => {
        const user = await newUser(app, tenant.tenantId, 'user');
        const url = `/api/users/${user.userId}`;
        expectError(await user.call('PATCH', url, { payload: { role: 'admin' } }), 'FORBIDDEN');
        expectError(await user.call('DELETE', url), 'FORBIDDEN');
        expectError(await user.call('GET', url), 'FORBIDDEN');
        expectError(await app.call('PATCH', url, { payload: {} }), 'UNAUTHENTICATED');
        expectFaults(await update(user.userId, { role: 'superadmin' }), ['role']);
        expectFaults(await update(user.userId, { email: 'x', isActive: 'maybe', passwordHash: 'x' }), [
            'email',
            'isActive',
            'passwordHash',
        ]);
        expectError(await update(user.userId, {}), 'VALIDATION_ERROR');
    });
});
