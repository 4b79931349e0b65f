import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { randomAddress, startApp, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { newTenant, platformToken } from '../../helpers/tenant.ts';
import { newUser } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const UNKNOWN = 'tenant_00000000000000000000000SSS';
const payload = { reason: 'Payment overdue' };
const routeOf = (tenantId: string) => `/api/admin/tenants/${tenantId}/suspend`;

describe('POST /api/admin/tenants/{tenantId}/suspend', () => {
    let app: TestApp;
    let token: string;
    const suspend = (tenantId: string, options: object = {}) =>
        app.call('POST', routeOf(tenantId), { token, payload, ...options });

    before(async () => {
        app = await startApp();
        token = await platformToken(app);
    });

    after(() => app.stop());

    it('gives the suspended tenant with the reason', async () => {
        const { tenantId } = await newTenant(app);
        const { status, body } = await suspend(tenantId, { payload: { reason: ' Payment overdue ' } });
        expect(status).to.equal(200);
        expect(Object.keys(body.data)).to.equal(['tenant']);
        expect(body.data.tenant).to.include({ id: tenantId, status: 'suspended', suspendedReason: 'Payment overdue' });
        expect(body.data.tenant.revision).to.equal(2);
    });

    it('refuses every credential of its users from the very next request', async () => {
        const tenant = await newTenant(app);
        const user = await newUser(app, tenant.tenantId, 'user');
        await suspend(tenant.tenantId);
        expectError(await tenant.call('GET', '/api/auth/me'), 'TENANT_SUSPENDED');
        expectError(await user.call('GET', '/api/auth/me'), 'TENANT_SUSPENDED');
        const { refreshToken, email, password } = tenant;
        const refreshed = await app.call('POST', '/api/auth/refresh', { payload: { refreshToken } });
        expectError(refreshed, 'TENANT_SUSPENDED');
        expectError(await app.call('POST', '/api/login', { payload: { email, password } }), 'TENANT_SUSPENDED');
    });

    it('touches no other tenant', async () => {
        const [one, other] = [await newTenant(app), await newTenant(app)];
        await suspend(one.tenantId);
        expect((await other.call('GET', '/api/auth/me')).status).to.equal(200);
    });

    it('is audited in the tenant and in the platform, and told to the tenant', async () => {
        const { tenantId } = await newTenant(app);
        const id = `susp-${tenantId.slice(-20)}`;
        const from = randomAddress();
        await suspend(tenantId, { from, headers: { 'x-request-id': id, 'user-agent': 'a test' } });
        const me = await app.call('GET', '/api/auth/me', { token });
        const expected = {
            userId: me.body.data.user.id,
            action: 'tenant.suspend',
            resource: 'tenant',
            resourceId: tenantId,
            result: 'success',
            details: '{"reason":"Payment overdue"}',
            ipAddress: from,
            userAgent: 'a test',
            correlationId: id,
        };
        const told = async (place: string) =>
            (await readAudit(app, place)).filter(({ correlationId }) => correlationId === id);
        expect(await told(tenantId)).to.equal([expected]);
        expect(await told('platform')).to.equal([{ ...expected, result: 'intended' }, expected]);
        const events = await app.redis.xrange(tenantKey(tenantId, 'events'), '-', '+');
        expect(events.at(-1)?.[1].slice(0, 2)).to.equal(['type', 'tenant.suspended']);
    });

    it('takes a support of the platform', async () => {
        const { tenantId } = await newTenant(app);
        const support = await newUser(app, 'platform', 'support');
        expect((await support.call('POST', routeOf(tenantId), { payload })).status).to.equal(200);
    });

    it('refuses everyone else, names the permission and suspends nobody', async () => {
        const victim = await newTenant(app);
        const tenant = await newTenant(app);
        const others = [
            tenant,
            await newUser(app, tenant.tenantId, 'user'),
            await newUser(app, 'platform', 'finance'),
            await newUser(app, 'platform', 'user'),
        ];
        for (const { call } of others) {
            const { details } = expectError(await call('POST', routeOf(victim.tenantId), { payload }), 'FORBIDDEN');
            expect(details).to.equal({ permission: 'tenant:suspend' });
        }
        expectError(await victim.call('POST', routeOf(victim.tenantId), { payload }), 'FORBIDDEN');
        expect((await victim.call('GET', '/api/auth/me')).status).to.equal(200);
    });

    it('asks for the permission before it looks at the request', async () => {
        const { call } = await newTenant(app);
        expectError(await call('POST', routeOf('nonsense'), { payload: { x: 1 } }), 'FORBIDDEN');
    });

    it('needs a credential', async () => {
        const { tenantId } = await newTenant(app);
        expectError(await app.call('POST', routeOf(tenantId), { payload }), 'UNAUTHENTICATED');
    });

    it('does not know a tenant that does not exist, and writes nothing about it', async () => {
        expectError(await suspend(UNKNOWN), 'TENANT_NOT_FOUND');
        expect(await app.redis.keys(tenantKey(UNKNOWN, '*'))).to.equal([]);
        const entries = await readAudit(app, 'platform');
        expect(entries.some(({ resourceId }) => resourceId === UNKNOWN)).to.be.false();
    });

    it('does not suspend the platform itself, nor what is no tenant', async () => {
        for (const id of ['platform', 'nonsense', 'user_00000000000000000000000000']) {
            expectFaults(await suspend(id), ['tenantId']);
        }
    });

    it('refuses a payload without a reason, of the wrong type or with more', async () => {
        const { tenantId, call } = await newTenant(app);
        for (const [wrong, fields] of [
            [{}, ['reason']],
            [{ reason: '  ' }, ['reason']],
            [{ reason: 7 }, ['reason']],
            [{ reason: 'x'.repeat(501) }, ['reason']],
            [{ ...payload, status: 'active' }, ['status']],
        ] as const) {
            expectFaults(await suspend(tenantId, { payload: wrong }), [...fields]);
        }
        expectError(await suspend(tenantId, { payload: undefined }), 'VALIDATION_ERROR');
        expect((await call('GET', '/api/auth/me')).status).to.equal(200);
    });
});
