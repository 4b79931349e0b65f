import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { createUser, newEmail } from '../../helpers/invite.ts';
import { newTenant, platformToken, type TestTenant } from '../../helpers/tenant.ts';
import { newUser } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const ACCEPT = '/api/auth/invitation/accept';
const PASSWORD = 'a password of Bob';

describe('POST /api/users', () => {
    let app: TestApp;
    let tenant: TestTenant;

    before(async () => {
        app = await startApp();
    });

    beforeEach(async () => {
        tenant = await newTenant(app);
    });

    after(() => app.stop());

    it('creates a user with a password, who can log in', async () => {
        const email = newEmail();
        const { status, headers, body } = await createUser(tenant, { email, password: PASSWORD, tier: 'premium' });
        expect(status).to.equal(201);
        expect(headers.etag).to.equal('"1"');
        expect(Object.keys(body.data)).to.equal(['user']);
        const expected = { email, username: email, displayName: 'Bob', role: 'user', tier: 'premium', isActive: true };
        expect(body.data.user).to.include(expected);
        const payload = { email, password: PASSWORD, tenantId: tenant.tenantId };
        const login = await app.call('POST', '/api/login', { payload });
        expect(login.status).to.equal(200);
        const me = await app.call('GET', '/api/auth/me', { token: login.body.data.accessToken });
        expect(me.body.data.tier).to.equal('premium');
    });

    it('without a password gives an invitation, of which only a hash is stored', async () => {
        const { body } = await createUser(tenant);
        const { user, token } = body.data;
        expect(String(token)).to.startWith(`it1.${tenant.tenantId}.${user.id}.`);
        const keys = await app.redis.keys(tenantKey(tenant.tenantId, '*'));
        const dumps = await Promise.all(keys.map((key) => app.redis.dumpBuffer(key)));
        const secret = String(token).split('.')[3] ?? '';
        expect(dumps.some((dump) => dump?.includes(secret))).to.be.false();
        expect((await tenant.call('GET', `/api/users/${user.id}`)).text).to.not.contain(token);
        const payload = { email: user.email, password: PASSWORD, tenantId: tenant.tenantId };
        expectError(await app.call('POST', '/api/login', { payload }), 'INVALID_CREDENTIALS');
    });

    it('is audited and told', async () => {
        const { body } = await createUser(tenant);
        const entry = (await readAudit(app, tenant.tenantId)).at(-1);
        expect(entry).to.include({ action: 'user.create', resourceId: body.data.user.id, userId: tenant.userId });
        expect(JSON.stringify(entry)).to.not.contain(body.data.user.email);
        const events = await app.redis.xrange(tenantKey(tenant.tenantId, 'events'), '-', '+');
        expect(events.at(-1)?.[1].slice(0, 2)).to.equal(['type', 'user.created']);
    });

    it('gives an e-mail address to one of 20 at once, whatever its case', async () => {
        const email = newEmail();
        const answers = await Promise.all(
            Array.from({ length: 20 }, (_, n) => createUser(tenant, { email: n % 2 ? email : email.toUpperCase() })),
        );
        expect(answers.filter(({ status }) => status === 201)).to.have.length(1);
        for (const answer of answers.filter(({ status }) => status !== 201)) expectError(answer, 'EMAIL_TAKEN');
    });

    it('knows the roles of a tenant and those of the platform', async () => {
        const token = await platformToken(app);
        const payload = { email: newEmail(), displayName: 'Bob' };
        const create = (role: string) => app.call('POST', '/api/users', { token, payload: { ...payload, role } });
        for (const role of ['superadmin', 'support', 'finance']) {
            expectFaults(await createUser(tenant, { role }), ['role']);
        }
        for (const role of ['admin', 'user']) expectFaults(await create(role), ['role']);
        expect((await create('support')).body.data.user.role).to.equal('support');
    });

    it('refuses who is no admin, and names the permission', async () => {
        const user = await newUser(app, tenant.tenantId, 'user');
        const support = await newUser(app, 'platform', 'support');
        for (const { call } of [user, support]) {
            const { details } = expectError(await createUser({ call }), 'FORBIDDEN');
            expect(details).to.equal({ permission: 'user:write' });
        }
        expectError(await app.call('POST', '/api/users', { payload: {} }), 'UNAUTHENTICATED');
    });

    it('refuses what is missing, wrong or too much', async () => {
        expectFaults(await tenant.call('POST', '/api/users', { payload: {} }), ['displayName', 'email', 'role']);
        for (const [wrong, fields] of [
            [{ email: 'nobody' }, ['email']],
            [{ password: 'short' }, ['password']],
            [{ role: 'king' }, ['role']],
            [{ tier: 'gold' }, ['tier']],
            [{ isActive: true }, ['isActive']],
        ] as const) {
            expectFaults(await createUser(tenant, wrong), [...fields]);
        }
    });

    describe(`POST ${ACCEPT}`, () => {
        const accept = (token: string, payload: object = {}, from?: string) =>
            app.call('POST', ACCEPT, { payload: { token, password: PASSWORD, ...payload }, ...(from && { from }) });
        const invite = async (payload: object = {}) => (await createUser(tenant, payload)).body.data;

        it('gives the user, who then logs in, and can be found by the new name', async () => {
            const { user, token } = await invite();
            const { status, body } = await accept(token, { displayName: 'Robert' });
            expect(status).to.equal(200);
            expect(body.data.user).to.include({ id: user.id, displayName: 'Robert', revision: 2 });
            const payload = { email: user.email, password: PASSWORD, tenantId: tenant.tenantId };
            expect((await app.call('POST', '/api/login', { payload })).status).to.equal(200);
            const search = async (q: string) => (await tenant.call('GET', `/api/users?q=${q}`)).body.data.users.length;
            expect([await search('rob'), await search('bob'), await search(user.email)]).to.equal([1, 0, 1]);
            const entry = (await readAudit(app, tenant.tenantId)).find(({ action }) => action === 'user.accept');
            expect(entry).to.include({ resourceId: user.id, userId: user.id, result: 'success' });
        });

        it('succeeds once, of 10 at once as well', async () => {
            const { token } = await invite();
            const answers = await Promise.all(Array.from({ length: 10 }, () => accept(token)));
            expect(answers.filter(({ status }) => status === 200)).to.have.length(1);
            for (const answer of answers.filter(({ status }) => status !== 200)) {
                expectError(answer, 'INVITATION_INVALID');
            }
        });

        it('refuses a token that is altered, foreign or seven days old', async () => {
            const { user, token } = await invite();
            const { token: other } = await invite();
            const mixed = `it1.${tenant.tenantId}.${user.id}.${String(other).split('.')[3]}`;
            const moved = String(token).replace(tenant.tenantId, (await newTenant(app)).tenantId);
            for (const wrong of ['nonsense', `${token}a`, mixed, moved]) {
                expectError(await accept(wrong), 'INVITATION_INVALID');
            }
            await app.advance(7 * 24 * 3_600_000 + 1_000);
            const late = await accept(token);
            await app.advance(-7 * 24 * 3_600_000 - 1_000);
            expectError(late, 'INVITATION_INVALID');
        });

        it('refuses a user that is disabled or deleted meanwhile', async () => {
            const [disabled, deleted] = [await invite(), await invite()];
            await tenant.call('PATCH', `/api/users/${disabled.user.id}`, { payload: { isActive: false } });
            await tenant.call('DELETE', `/api/users/${deleted.user.id}`);
            for (const { token } of [disabled, deleted]) expectError(await accept(token), 'INVITATION_INVALID');
        });

        it('makes an admin one that counts, and not before', async () => {
            const { user, token } = await invite({ role: 'admin' });
            const resign = () => tenant.call('PATCH', `/api/users/${tenant.userId}`, { payload: { role: 'user' } });
            expectError(await resign(), 'LAST_ADMIN');
            await accept(token);
            expect((await resign()).status).to.equal(200);
            expect(await app.redis.zrange(tenantKey(tenant.tenantId, 'users', 'admins'), 0, '-1')).to.equal([user.id]);
        });

        it('takes five requests a minute from an address', () =>
            app.inNoTime(async () => {
                for (let n = 0; n < 5; n++) expectError(await accept('x', {}, '10.1.2.3'), 'INVITATION_INVALID');
                expectError(await accept('x', {}, '10.1.2.3'), 'RATE_LIMITED');
            }));

        it('refuses what is missing, wrong or too much', async () => {
            expectFaults(await app.call('POST', ACCEPT, { payload: { email: 'x' } }), ['email', 'password', 'token']);
            expectFaults(await accept('x', { password: 'short' }), ['password']);
        });
    });
});
