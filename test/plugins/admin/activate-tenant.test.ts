import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { newTenant, platformToken, type TestTenant } from '../../helpers/tenant.ts';
import { newUser } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const UNKNOWN = 'tenant_00000000000000000000000000';
const routeOf = (tenantId: string) => `/api/admin/tenants/${tenantId}/activate`;

describe('POST /api/admin/tenants/{tenantId}/activate', () => {
    let app: TestApp;
    let token: string;
    const activate = (tenantId: string, options: object = {}) =>
        app.call('POST', routeOf(tenantId), { token, ...options });

    const suspendedTenant = async (): Promise<TestTenant> => {
        const tenant = await newTenant(app);
        const payload = { reason: 'Payment overdue' };
        await app.call('POST', `/api/admin/tenants/${tenant.tenantId}/suspend`, { token, payload });
        expectError(await tenant.call('GET', '/api/auth/me'), 'TENANT_SUSPENDED');
        return tenant;
    };

    before(async () => {
        app = await startApp();
        token = await platformToken(app);
    });

    after(() => app.stop());

    it('gives the active tenant, whose sessions work again', async () => {
        const tenant = await suspendedTenant();
        const { status, body } = await activate(tenant.tenantId);
        expect(status).to.equal(200);
        expect(body.data.tenant).to.include({ id: tenant.tenantId, status: 'active', suspendedReason: null });
        expect(body.data.tenant.revision).to.equal(3);
        expect((await tenant.call('GET', '/api/auth/me')).status).to.equal(200);
        const { email, password } = tenant;
        expect((await app.call('POST', '/api/login', { payload: { email, password } })).status).to.equal(200);
    });

    it('is audited in the tenant and in the platform, and told to the tenant', async () => {
        const { tenantId } = await suspendedTenant();
        const id = `act-${tenantId.slice(-20)}`;
        await activate(tenantId, { headers: { 'x-request-id': id } });
        for (const place of [tenantId, 'platform']) {
            const entries = (await readAudit(app, place)).filter(({ correlationId }) => correlationId === id);
            expect(entries).to.have.length(place === 'platform' ? 2 : 1);
            expect(entries.at(-1)).to.include({ action: 'tenant.activate', resourceId: tenantId, result: 'success' });
        }
        const events = await app.redis.xrange(tenantKey(tenantId, 'events'), '-', '+');
        expect(events.at(-1)?.[1].slice(0, 2)).to.equal(['type', 'tenant.activated']);
    });

    it('changes nothing of a tenant that is active but its revision', async () => {
        const { tenantId, call } = await newTenant(app);
        expect((await activate(tenantId)).body.data.tenant).to.include({ status: 'active', revision: 2 });
        expect((await call('GET', '/api/auth/me')).status).to.equal(200);
    });

    it('refuses who has not the permission, and names it', async () => {
        const suspended = await suspendedTenant();
        const tenant = await newTenant(app);
        const others = [tenant, await newUser(app, tenant.tenantId, 'user'), await newUser(app, 'platform', 'finance')];
        for (const { call } of others) {
            const { details } = expectError(await call('POST', routeOf(suspended.tenantId)), 'FORBIDDEN');
            expect(details).to.equal({ permission: 'tenant:suspend' });
        }
        expectError(await suspended.call('POST', routeOf(suspended.tenantId)), 'TENANT_SUSPENDED');
        expectError(await suspended.call('GET', '/api/auth/me'), 'TENANT_SUSPENDED');
    });

    it('needs a credential', async () => {
        const { tenantId } = await newTenant(app);
        expectError(await app.call('POST', routeOf(tenantId)), 'UNAUTHENTICATED');
    });

    it('does not know a tenant that does not exist', async () => {
        expectError(await activate(UNKNOWN), 'TENANT_NOT_FOUND');
        expect(await app.redis.keys(tenantKey(UNKNOWN, '*'))).to.equal([]);
    });

    it('does not bring a barred tenant to life', async () => {
        await app.redis.hset(tenantKey(UNKNOWN, 'info'), { id: UNKNOWN, status: 'barred' });
        const answer = await activate(UNKNOWN);
        await app.redis.del(tenantKey(UNKNOWN, 'info'));
        expectError(answer, 'TENANT_NOT_FOUND');
    });

    it('refuses what is no id of a tenant', async () => {
        for (const id of ['platform', 'nonsense', `${UNKNOWN}0`]) expectFaults(await activate(id), ['tenantId']);
    });
});
