import { randomBytes } from 'node:crypto';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { PLATFORM, tenantKey } from '../../../src/redis/keys.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { newTenant, platformToken, type TestTenant } from '../../helpers/tenant.ts';
import { newUser, type TestUser } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const NOBODY = 'user_00000000000000000000000000';
const NOWHERE = 'tenant_00000000000000000000000000';
const reason = { reason: 'Abuse was reported' };
const urlOf = (tenantId: string, userId: string) => `/api/admin/tenants/${tenantId}/users/${userId}`;

describe('the administration of users', () => {
    let redis: TestRedis;
    let app: TestApp;
    let token: string;
    let support: TestUser;
    let finance: TestUser;
    let tenant: TestTenant;

    before(async () => {
        // Of its own, where the platform has one superadmin.
        redis = await startRedis();
        app = await startApp({ redisPath: redis.path });
        token = await platformToken(app);
        support = await newUser(app, PLATFORM, 'support');
        finance = await newUser(app, PLATFORM, 'finance');
        tenant = await newTenant(app);
    });

    after(async () => {
        await app.stop();
        await redis.stop();
    });

    const call = (method: string, url: string, options: object = {}) => app.call(method, url, { token, ...options });
    const suspend = (url: string, options: object = {}) =>
        call('POST', `${url}/suspend`, { payload: reason, ...options });
    const activate = (url: string, options: object = {}) => call('POST', `${url}/activate`, options);
    const setTier = (url: string, tier: unknown, options: object = {}) =>
        call('PATCH', url, { payload: { tier }, ...options });
    const newMember = async () => {
        const user = await newUser(app, tenant.tenantId, 'user');
        return { ...user, url: urlOf(tenant.tenantId, user.userId) };
    };

    /** What was told of a request, in the tenant and in the platform. */
    const toldOf = async (requestId: string) => {
        const entriesOf = async (place: string) =>
            (await readAudit(app, place)).filter(({ correlationId }) => correlationId === requestId);
        return { own: await entriesOf(tenant.tenantId), platform: await entriesOf(PLATFORM) };
    };

    it('shows one with its entity tag, told in both audits', async () => {
        const { url, userId, email } = await newMember();
        const { status, body, headers } = await call('GET', url);
        expect(status).to.equal(200);
        expect(body.data.user).to.include({ id: userId, email, tier: null, isActive: true });
        expect(Object.keys(body.data.user)).to.not.include(['passwordHash', 'terms', 'epoch']);
        expect(headers.etag).to.equal('"1"');
        const { own, platform } = await toldOf(body.requestId);
        expect(own).to.have.length(1);
        expect(own[0]).to.include({ action: 'user.read', resourceId: userId, result: 'success' });
        expect(platform).to.equal([{ ...own[0], details: JSON.stringify({ tenantId: tenant.tenantId }) }]);
    });

    it('suspends a user, whose next request is refused, and lets him log in again', async () => {
        const { url, email, password, ...member } = await newMember();
        const { status, body } = await suspend(url);
        expect(status).to.equal(200);
        expect(body.data.user).to.include({ isActive: false, revision: 2 });
        expectError(await member.call('GET', '/api/auth/me'), 'USER_DISABLED');
        const login = () => app.call('POST', '/api/login', { payload: { email, password, tenantId: tenant.tenantId } });
        expectError(await login(), 'USER_DISABLED');
        const activated = await activate(url);
        expect(activated.body.data.user).to.include({ isActive: true, revision: 3 });
        expectError(await member.call('GET', '/api/auth/me'), 'SESSION_ENDED');
        expect((await login()).status).to.equal(200);
    });

    it('tells who did it and why, in the tenant, in the platform and as an event', async () => {
        const { url, userId } = await newMember();
        const me = await call('GET', '/api/auth/me');
        const { body } = await suspend(url);
        const { own, platform } = await toldOf(body.requestId);
        const admin = me.body.data.user.id;
        expect(own).to.have.length(1);
        const details = { fields: ['isActive'], ...reason };
        expect(own[0]).to.include({ userId: admin, action: 'user.update', resourceId: userId, result: 'success' });
        expect(own[0]?.details).to.equal(JSON.stringify(details));
        expect(platform.map(({ result }) => result)).to.equal(['intended', 'success']);
        for (const entry of platform) {
            expect(entry).to.include({ userId: admin, action: 'user.suspend', resource: 'user', resourceId: userId });
            expect(JSON.parse(entry.details ?? '')).to.equal({ tenantId: tenant.tenantId, ...reason });
        }
        const [last] = await app.redis.xrevrange(tenantKey(tenant.tenantId, 'events'), '+', '-', 'COUNT', 1);
        const { requestId } = body;
        expect(last?.[1]).to.equal([
            'type',
            'user.updated',
            'data',
            JSON.stringify({ userId }),
            'requestId',
            requestId,
        ]);
        const refused = await suspend(urlOf(tenant.tenantId, tenant.userId));
        const told = await toldOf(refused.body.requestId);
        expect(told.own).to.equal([]);
        expect(told.platform.map(({ result }) => result)).to.equal(['intended', 'LAST_ADMIN']);
    });

    it('gives a user another tier, or that of the plan, if it is the revision that was read', async () => {
        const { url, ...member } = await newMember();
        const { body, headers } = await setTier(url, 'enterprise');
        expect(body.data.user).to.include({ tier: 'enterprise', revision: 2 });
        expect(headers.etag).to.equal('"2"');
        const [, limit] = [await member.call('GET', '/api/auth/me'), await member.call('GET', '/api/auth/me')];
        expect(Number(limit.headers['x-ratelimit-limit'])).to.equal(2_000);
        expectError(await setTier(url, 'free', { headers: { 'if-match': '"1"' } }), 'REVISION_MISMATCH');
        const taken = await setTier(url, null, { headers: { 'if-match': '"2"' } });
        expect(taken.body.data.user).to.include({ tier: null, revision: 3 });
    });

    it('keeps the last admin of a tenant, also of two that go at once', async () => {
        const own = await newTenant(app);
        const other = await newUser(app, own.tenantId, 'admin');
        const answers = await Promise.all([own, other].map(({ userId }) => suspend(urlOf(own.tenantId, userId))));
        expect(answers.map(({ status }) => String(status)).toSorted()).to.equal(['200', '409']);
        for (const answer of answers) if (answer.status !== 200) expectError(answer, 'LAST_ADMIN');
    });

    it('changes nobody who is deleted or not there', async () => {
        const { url, userId } = await newMember();
        await tenant.call('DELETE', `/api/users/${userId}`);
        const changes = [suspend, activate, (place: string, options: object = {}) => setTier(place, 'free', options)];
        for (const change of changes) {
            expectError(await change(url), 'ALREADY_DELETED');
            expectError(await change(urlOf(tenant.tenantId, NOBODY)), 'USER_NOT_FOUND');
            expectError(await change(urlOf(NOWHERE, tenant.userId)), 'TENANT_NOT_FOUND');
        }
        expect((await call('GET', url)).body.data.user.deletedAt).to.be.a.string();
        expectError(await call('GET', urlOf(tenant.tenantId, NOBODY)), 'USER_NOT_FOUND');
        expectError(await call('GET', urlOf(NOWHERE, tenant.userId)), 'TENANT_NOT_FOUND');
        // A user of another tenant is none of this one.
        const other = await newTenant(app);
        expectError(await suspend(urlOf(tenant.tenantId, other.userId)), 'USER_NOT_FOUND');
        expect(await app.redis.keys(tenantKey(NOWHERE, '*'))).to.equal([]);
    });

    it('waits for the end of a restore', async () => {
        const { url, tenantId } = { ...(await newMember()), ...tenant };
        await app.redis.hset(tenantKey(tenantId, 'info'), 'restoring', '1');
        try {
            expectError(await suspend(url), 'TENANT_RESTORING');
            expect((await call('GET', url)).body.data.user.isActive).to.be.true();
        } finally {
            await app.redis.hdel(tenantKey(tenantId, 'info'), 'restoring');
        }
    });

    it('does not reach the platform’s own, whose last superadmin cannot lock himself out', async () => {
        const me = (await call('GET', '/api/auth/me')).body.data.user;
        expectFaults(await suspend(urlOf(PLATFORM, me.id)), ['tenantId']);
        expectFaults(await suspend(urlOf(PLATFORM, me.id), { token: support.accessToken }), ['tenantId']);
        expectFaults(await suspend(urlOf('x', 'y')), ['tenantId', 'userId']);
        const own = `/api/users/${me.id}`;
        for (const payload of [{ isActive: false }, { role: 'support' }]) {
            expectError(await call('PATCH', own, { payload }), 'LAST_ADMIN');
        }
        expectError(await call('DELETE', own), 'LAST_ADMIN');
    });

    it('refuses what is missing, wrong or too much', async () => {
        const { url } = await newMember();
        expectFaults(await suspend(url, { payload: {} }), ['reason']);
        expectFaults(await suspend(url, { payload: { reason: ' ', until: 'tomorrow' } }), ['reason', 'until']);
        expectFaults(await setTier(url, 'gold'), ['tier']);
        expectFaults(await call('PATCH', url, { payload: { tier: 'free', role: 'admin' } }), ['role']);
        expectFaults(await call('PATCH', url, { payload: {} }), ['tier']);
        expect((await call('GET', url)).body.data.user.revision).to.equal(1);
    });

    it('lets support read and suspend, and nobody else but superadmins', async () => {
        const { url } = await newMember();
        const routes: [string, string, object, string][] = [
            ['GET', '/api/admin/users', {}, 'account:read'],
            ['GET', url, {}, 'account:read'],
            ['POST', `${url}/suspend`, { payload: reason }, 'account:suspend'],
            ['POST', `${url}/activate`, {}, 'account:suspend'],
            ['PATCH', url, { payload: { tier: 'premium' } }, 'account:write'],
        ];
        for (const [method, path, options, permission] of routes) {
            const isOpen = permission !== 'account:write';
            const byHim = await support.call(method, path, options);
            if (isOpen) expect(byHim.status, path).to.equal(200);
            else expectError(byHim, 'FORBIDDEN');
            for (const { call: ask } of [finance, tenant]) {
                const { details } = expectError(await ask(method, path, options), 'FORBIDDEN');
                expect(details).to.equal({ permission });
            }
            expectError(await app.call(method, path, options), 'UNAUTHENTICATED');
        }
        expect((await call('GET', url)).body.data.user.tier).to.be.null();
    });

    it('tells of lists in the platform, and of those of a tenant in it too', async () => {
        const id = `list-${randomBytes(8).toString('hex')}`;
        await call('GET', `/api/admin/users?tenantId=${tenant.tenantId}`, { headers: { 'x-request-id': id } });
        const { own, platform } = await toldOf(id);
        expect(own).to.have.length(1);
        expect(own[0]).to.include({ action: 'user.list', resourceId: tenant.tenantId, result: 'success' });
        expect(platform).to.equal(own);
        const all = `list-${randomBytes(8).toString('hex')}`;
        await call('GET', '/api/admin/users', { headers: { 'x-request-id': all } });
        expect((await toldOf(all)).platform.map(({ action }) => action)).to.equal(['user.list']);
    });
});
