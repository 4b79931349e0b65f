import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../helpers/app.ts';
import { newTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

describe('POST /api/auth/register', () => {
    let app: TestApp;

    before(async () => {
        app = await startApp();
    });

    after(() => app.stop());

    it('creates a tenant whose first admin is logged in', async () => {
        const tenant = await newTenant(app);
        const { status, body } = await tenant.call('GET', '/api/auth/me');
        expect(status).to.equal(200);
        expect(body.data.user).to.include({ email: tenant.email, role: 'admin' });
    });
});
