import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { newKey } from '../../../helpers/api-key.ts';
import { startApp, type TestApp } from '../../../helpers/app.ts';
import { keysOf, readAll, restore, tenantData } from '../../../helpers/tenant-data.ts';
import { newTenant, type TestTenant } from '../../../helpers/tenant.ts';
import { newUser } from '../../../helpers/user.ts';

import type { TenantData } from '../../../../plugins/backups/api.ts';

export const lab = Lab.script();
const { describe, it, before, after, beforeEach } = lab;

const NEW_PASSWORD = 'quite another password 8';

describe('credentials in a restore', () => {
    let app: TestApp;
    let data: TenantData;
    let tenant: TestTenant;

    before(async () => {
        app = await startApp();
        data = tenantData(app);
    });
    after(() => app.stop());
    beforeEach(async () => {
        tenant = await newTenant(app);
    });

    const read = () => readAll(data, tenant.tenantId);
    const statusWith = async (key: string): Promise<number> =>
        (await app.call('GET', '/api/threads', { headers: { 'x-api-key': key } })).status;

    it('are the passwords that the users have now', async () => {
        const bob = await newUser(app, tenant.tenantId, 'user');
        const login = async (password: string): Promise<number> => {
            const payload = { email: bob.email, password, tenantId: tenant.tenantId };
            return (await app.call('POST', '/api/login', { payload })).status;
        };
        const told = await read();
        const payload = { currentPassword: bob.password, newPassword: NEW_PASSWORD };
        expect((await bob.call('POST', '/api/auth/password', { payload })).status).to.equal(200);
        await tenant.call('PATCH', `/api/users/${bob.userId}`, { payload: { displayName: 'Bobby' } });
        await restore(data, tenant.tenantId, told);
        const { body } = await tenant.call('GET', `/api/users/${bob.userId}`);
        expect(body.data.user.displayName).to.equal('User');
        expect([await login(bob.password), await login(NEW_PASSWORD)]).to.equal([401, 200]);
    });

    it('are the secrets that API keys have now', async () => {
        const { id, secret } = await newKey(tenant);
        await tenant.call('POST', `/api/keys/${id}/rotate`, { payload: { graceSeconds: 3_600 } });
        const told = await read();
        const rotated = await tenant.call('POST', `/api/keys/${id}/rotate`, { payload: { graceSeconds: 0 } });
        expect(await statusWith(secret)).to.equal(401);
        await restore(data, tenant.tenantId, told);
        expect(await statusWith(secret)).to.equal(401);
        expect(await statusWith(rotated.body.data.secret)).to.equal(200);
    });

    it('are without the API keys that were revoked', async () => {
        const { id, secret } = await newKey(tenant);
        const other = await newKey(tenant);
        const told = await read();
        expect((await tenant.call('DELETE', `/api/keys/${id}`)).status).to.equal(200);
        await restore(data, tenant.tenantId, told);
        expect([await statusWith(secret), await statusWith(other.secret)]).to.equal([401, 200]);
        const { body } = await tenant.call('GET', '/api/keys');
        expect(body.data.keys.map((key: { id: string }) => key.id)).to.equal([other.id]);
        expect(Object.keys(await keysOf(app.redis, tenant.tenantId)).filter((key) => key.includes(id))).to.be.empty();
    });
});
