import { randomBytes } from 'node:crypto';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type Answer, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { newTenant, platformToken } from '../../helpers/tenant.ts';
import { newUser, type TestUser } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const ROUTE = '/api/admin/tenants';
const UNKNOWN = `${ROUTE}/tenant_00000000000000000000000000`;
const newDomain = () => `${randomBytes(8).toString('hex')}.example`;
const details = (changes: object = {}) => {
    const domain = newDomain();
    return { name: 'Acme', domain, plan: 'premium', admin: { email: `ada@${domain}` }, ...changes };
};

describe('the administration of tenants', () => {
    let redis: TestRedis;
    let app: TestApp;
    let token: string;
    let support: TestUser;
    let finance: TestUser;
    const create = (payload: object, options: object = {}) => app.call('POST', ROUTE, { token, payload, ...options });

    before(async () => {
        // Of its own: the list shows the tenants of all, and other tests make theirs by clocks of their own.
        redis = await startRedis();
        app = await startApp({ redisPath: redis.path });
        token = await platformToken(app);
        support = await newUser(app, 'platform', 'support');
        finance = await newUser(app, 'platform', 'finance');
    });

    after(async () => {
        await app.stop();
        await redis.stop();
    });

    describe('POST /api/admin/tenants', () => {
        it('creates a tenant whose admin has a password', async () => {
            const domain = newDomain();
            const admin = { email: `ada@${domain}`, password: 'a password for Ada', displayName: 'Ada' };
            const { status, body } = await create(details({ domain, admin }));
            expect(status).to.equal(201);
            expect(Object.keys(body.data)).to.equal(['tenant', 'user']);
            expect(body.data.tenant).to.include({ name: 'Acme', domain, plan: 'premium', status: 'active' });
            expect(body.data.user).to.include({ email: admin.email, displayName: 'Ada', role: 'admin' });
            const { email, password } = admin;
            expect((await app.call('POST', '/api/login', { payload: { email, password } })).status).to.equal(200);
        });

        it('or an invitation, with which the admin begins', async () => {
            const { body } = await create(details());
            const password = 'a password for Ada';
            const payload = { token: body.data.token, password };
            expect((await app.call('POST', '/api/auth/invitation/accept', { payload })).status).to.equal(200);
            const { email } = body.data.user;
            const login = await app.call('POST', '/api/login', { payload: { email, password } });
            const list = await app.call('GET', '/api/users', { token: login.body.data.accessToken });
            expect(list.body.data.users).to.have.length(1);
        });

        it('is told in both audits, in that of the platform before it happens', async () => {
            const id = `create-${randomBytes(8).toString('hex')}`;
            const { body } = await create(details(), { headers: { 'x-request-id': id } });
            const told = async (place: string) =>
                (await readAudit(app, place)).filter(({ correlationId }) => correlationId === id);
            const [own] = await told(body.data.tenant.id);
            expect(own).to.include({ action: 'tenant.create', resourceId: body.data.tenant.id, result: 'success' });
            expect(await told('platform')).to.equal([{ ...own, result: 'intended' }, own]);
        });

        it('gives a domain to one of 10 at once', async () => {
            const payload = details();
            const answers = await Promise.all(Array.from({ length: 10 }, () => create(payload)));
            expect(answers.filter(({ status }) => status === 201)).to.have.length(1);
            for (const answer of answers.filter(({ status }) => status !== 201)) expectError(answer, 'DOMAIN_TAKEN');
        });

        it('refuses what is missing, wrong or too much', async () => {
            expectFaults(await create({}), ['admin', 'domain', 'name', 'plan']);
            expectFaults(await create(details({ plan: 'gold', status: 'active' })), ['plan', 'status']);
            expectFaults(await create(details({ admin: { email: 'x', role: 'user' } })), ['admin.email', 'admin.role']);
        });
    });

    describe('GET /api/admin/tenants', () => {
        it('lists all tenants but the platform, a page at a time, each once', async () => {
            for (let n = 0; n < 5; n++) await newTenant(app);
            const seen: string[] = [];
            let cursor = '';
            let total = 0;
            do {
                const url = `${ROUTE}?limit=2${cursor && `&cursor=${cursor}`}`;
                const { body } = await app.call('GET', url, { token });
                seen.push(...body.data.tenants.map(({ id }: { id: string }) => id));
                ({ cursor, totalCount: total } = body.pagination);
            } while (cursor);
            expect(seen.length).to.equal(total).and.be.at.least(5);
            expect(new Set(seen).size).to.equal(total);
            expect(seen).to.not.include('platform');
        });

        it('has the newest first, or last', async () => {
            const { tenantId: older } = await newTenant(app);
            // Those of one moment have no order of their own.
            await app.advance(1_000);
            const { tenantId: newer } = await newTenant(app);
            const idsOf = ({ body }: Answer) => body.data.tenants.map(({ id }: { id: string }) => id);
            const newest = await app.call('GET', `${ROUTE}?limit=2`, { token });
            expect(idsOf(newest)).to.equal([newer, older]);
            const oldest = await app.call('GET', `${ROUTE}?limit=100&order=asc`, { token });
            expect(idsOf(oldest).slice(-2)).to.equal([older, newer]);
            const url = `${ROUTE}?order=asc&cursor=${newest.body.pagination.cursor}`;
            expectError(await app.call('GET', url, { token }), 'INVALID_CURSOR');
        });

        it('shows one', async () => {
            const { tenantId, domain } = await newTenant(app);
            const { body } = await app.call('GET', `${ROUTE}/${tenantId}`, { token });
            expect(body.data.tenant).to.include({ id: tenantId, domain });
            expectError(await app.call('GET', UNKNOWN, { token }), 'TENANT_NOT_FOUND');
            expectFaults(await app.call('GET', `${ROUTE}/platform`, { token }), ['tenantId']);
        });

        it('is told in the audit of the platform, and one that is shown in its own', async () => {
            const { tenantId } = await newTenant(app);
            await app.call('GET', ROUTE, { token });
            await app.call('GET', `${ROUTE}/${tenantId}`, { token });
            const [listed, shown] = (await readAudit(app, 'platform')).slice(-2);
            expect(listed).to.include({ action: 'tenant.list', result: 'success' });
            expect(shown).to.include({ action: 'tenant.read', resourceId: tenantId, result: 'success' });
            expect((await readAudit(app, tenantId)).at(-1)).to.equal(shown);
        });
    });

    describe('DELETE /api/admin/tenants/{tenantId}', () => {
        it('refuses every user from the next request on, keeps the domain, and is taken back but for sessions', async () => {
            const tenant = await newTenant(app);
            const url = `${ROUTE}/${tenant.tenantId}`;
            const { status, body } = await app.call('DELETE', url, { token });
            expect(status).to.equal(200);
            expect(body.data.tenant).to.include({ status: 'deleted', revision: 2 });
            expectError(await tenant.call('GET', '/api/auth/me'), 'TENANT_SUSPENDED');
            const { email, password, domain, refreshToken } = tenant;
            expectError(await app.call('POST', '/api/login', { payload: { email, password } }), 'TENANT_SUSPENDED');
            expectError(await create(details({ domain })), 'DOMAIN_TAKEN');

            const restored = await app.call('POST', `${url}/restore`, { token });
            expect(restored.body.data.tenant).to.include({ status: 'active', deletedAt: null, revision: 3 });
            expectError(await tenant.call('GET', '/api/auth/me'), 'SESSION_ENDED');
            expectError(await app.call('POST', '/api/auth/refresh', { payload: { refreshToken } }), 'SESSION_ENDED');
            expect((await app.call('POST', '/api/login', { payload: { email, password } })).status).to.equal(200);
        });

        it('succeeds once, of 5 at once as well, and takes no other change then', async () => {
            const { tenantId } = await newTenant(app);
            const url = `${ROUTE}/${tenantId}`;
            expectError(await app.call('POST', `${url}/restore`, { token }), 'NOT_RESTORABLE');
            const answers = await Promise.all(Array.from({ length: 5 }, () => app.call('DELETE', url, { token })));
            expect(answers.filter(({ status }) => status === 200)).to.have.length(1);
            for (const answer of answers.filter(({ status }) => status !== 200)) expectError(answer, 'ALREADY_DELETED');
            expectError(await app.call('POST', `${url}/activate`, { token }), 'ALREADY_DELETED');
            const payload = { reason: 'Overdue' };
            expectError(await app.call('POST', `${url}/suspend`, { token, payload }), 'ALREADY_DELETED');
        });

        it('suspends a tenant again that was suspended before', async () => {
            const tenant = await newTenant(app);
            const url = `${ROUTE}/${tenant.tenantId}`;
            await app.call('POST', `${url}/suspend`, { token, payload: { reason: 'Overdue' } });
            await app.call('DELETE', url, { token });
            const { body } = await app.call('POST', `${url}/restore`, { token });
            expect(body.data.tenant).to.include({ status: 'suspended', suspendedReason: 'Overdue' });
            expectError(await tenant.call('GET', '/api/auth/me'), 'TENANT_SUSPENDED');
        });

        it('is told in both audits, and so is a refusal in that of the platform', async () => {
            const { tenantId } = await newTenant(app);
            const url = `${ROUTE}/${tenantId}`;
            await app.call('DELETE', url, { token });
            await app.call('DELETE', url, { token });
            const results = async (place: string) =>
                (await readAudit(app, place))
                    .filter(({ action, resourceId }) => action === 'tenant.delete' && resourceId === tenantId)
                    .map(({ result }) => result);
            expect(await results(tenantId)).to.equal(['success']);
            expect(await results('platform')).to.equal(['intended', 'success', 'intended', 'ALREADY_DELETED']);
        });

        it('does not know a tenant that does not exist', async () => {
            expectError(await app.call('DELETE', UNKNOWN, { token }), 'TENANT_NOT_FOUND');
            expectError(await app.call('POST', `${UNKNOWN}/restore`, { token }), 'TENANT_NOT_FOUND');
        });
    });

    it('is for those whose role permits it', async () => {
        const tenant = await newTenant(app);
        const url = `${ROUTE}/${tenant.tenantId}`;
        for (const { call } of [support, finance]) {
            expect((await call('GET', ROUTE)).status).to.equal(200);
            expect((await call('GET', url)).status).to.equal(200);
            expectError(await call('POST', ROUTE, { payload: details() }), 'FORBIDDEN');
            expectError(await call('DELETE', url), 'FORBIDDEN');
            expectError(await call('POST', `${url}/restore`), 'FORBIDDEN');
        }
        expect((await support.call('POST', `${url}/activate`)).status).to.equal(200);
        expectError(await finance.call('POST', `${url}/activate`), 'FORBIDDEN');
        for (const [method, path] of [
            ['GET', ROUTE],
            ['GET', url],
            ['POST', ROUTE],
            ['DELETE', url],
            ['POST', `${url}/restore`],
        ] as const) {
            expectError(await tenant.call(method, path), 'FORBIDDEN');
            expectError(await app.call(method, path), 'UNAUTHENTICATED');
        }
    });
});
