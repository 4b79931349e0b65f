import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { readAudit } from '../../helpers/audit.ts';
import { asCookies, cookiesOf } from '../../helpers/cookies.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { PNG } from '../../helpers/images.ts';
import { startWithProvider } from '../../helpers/provider-keys.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newUser, setUserField, type TestUser } from '../../helpers/user.ts';

import type { TestApp } from '../../helpers/app.ts';
import type { Provider } from '../../helpers/provider.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const ROUTE = '/api/profile';

describe(`DELETE ${ROUTE}`, () => {
    let app: TestApp;
    let provider: Provider;
    let tenant: TestTenant;
    let bob: TestUser;

    before(async () => {
        ({ app, provider } = await startWithProvider());
        tenant = await newTenant(app);
    });

    beforeEach(async () => {
        bob = await newUser(app, tenant.tenantId, 'user');
        await bob.call('POST', `${ROUTE}/api-keys`, { payload: { openai: 'a-key-of-bob' } });
        await bob.call('PUT', `${ROUTE}/avatar`, { payload: PNG, headers: { 'content-type': 'image/png' } });
        await bob.call('PATCH', ROUTE, { payload: { settings: { systemPrompt: 'Be brief' } } });
    });

    after(async () => {
        await app.stop();
        await provider.stop();
    });

    const remove = (password = bob.password) => bob.call('DELETE', ROUTE, { payload: { password } });
    const login = () =>
        app.call('POST', '/api/login', {
            payload: { email: bob.email, password: bob.password, tenantId: tenant.tenantId },
        });
    const left = (part: string) => app.redis.exists(tenantKey(tenant.tenantId, 'user', bob.userId, part));

    it('ends every session, of this moment too, and clears the cookies', async () => {
        const second = (await login()).body.data;
        const answer = await remove();
        expect(answer.status).to.equal(200);
        expect(answer.body.data).to.equal({ deletedUser: bob.userId });
        const cookies = cookiesOf(answer);
        expect(cookies.access?.attributes).to.include('Max-Age=0');
        expect(cookies.refresh?.attributes).to.include(['Max-Age=0', 'Path=/api']);
        for (const token of [bob.accessToken, second.accessToken]) {
            expectError(await app.call('GET', ROUTE, { token }), 'USER_DISABLED');
        }
        const { refreshToken } = second;
        expectError(await app.call('POST', '/api/auth/refresh', { payload: { refreshToken } }), 'USER_DISABLED');
        expectError(await login(), 'USER_DISABLED');
        // Whoever is put back into service logs in anew.
        await setUserField(app, tenant.tenantId, bob.userId, 'isActive', '1');
        expectError(await app.call('GET', ROUTE, { token: second.accessToken }), 'SESSION_ENDED');
        expectError(await app.call('POST', '/api/auth/refresh', { payload: { refreshToken } }), 'SESSION_ENDED');
    });

    it('destroys provider keys and avatar, and keeps the rest', async () => {
        await remove();
        expect([await left('provider-keys'), await left('avatar')]).to.equal([0, 0]);
        expect(await left('profile')).to.equal(1);
        const user = await app.redis.hgetall(tenantKey(tenant.tenantId, 'user', bob.userId));
        expect(user).to.include({ isActive: '0', email: bob.email });
        expect(Number(user.deletedAt)).to.be.above(0);
        expect(user).to.not.include('providerKeys');
    });

    it('needs the password, and changes nothing without it', async () => {
        expectError(await remove('not the password'), 'INVALID_CREDENTIALS');
        expectFaults(await bob.call('DELETE', ROUTE, { payload: {} }), ['password']);
        expectFaults(await bob.call('DELETE', ROUTE), ['body']);
        expect((await bob.call('GET', ROUTE)).status).to.equal(200);
        expect([await left('provider-keys'), await left('avatar')]).to.equal([1, 1]);
        const entry = (await readAudit(app, tenant.tenantId)).at(-1);
        expect(entry).to.include({ action: 'auth.check_password', result: 'INVALID_CREDENTIALS', userId: bob.userId });
        expect(JSON.stringify(app.logs)).to.not.include('not the password');
    });

    it('counts as an attempt at the account, wherever it is tried', async () => {
        for (let n = 0; n < 5; n++) expectError(await remove('not the password'), 'INVALID_CREDENTIALS');
        expectError(await login(), 'ACCOUNT_DELAYED');
    });

    it('leaves no tenant without an admin', async () => {
        const payload = { password: tenant.password };
        expectError(await tenant.call('DELETE', ROUTE, { payload }), 'LAST_ADMIN');
        expect((await tenant.call('GET', ROUTE)).status).to.equal(200);
    });

    it('cannot be asked by another site', async () => {
        const { accessToken } = bob;
        const headers = { ...asCookies({ access: accessToken }), 'sec-fetch-site': 'cross-site' };
        const payload = { password: bob.password };
        expectError(await app.call('DELETE', ROUTE, { headers, payload }), 'CSRF_REJECTED');
        expectError(await app.call('DELETE', ROUTE, { payload }), 'UNAUTHENTICATED');
    });

    it('happens once of many at once', async () => {
        const answers = await Promise.all(Array.from({ length: 5 }, () => remove()));
        expect(answers.filter(({ status }) => status === 200)).to.have.length(1);
        const audit = await readAudit(app, tenant.tenantId);
        const deleted = audit.filter(({ action, resourceId }) => action === 'user.delete' && resourceId === bob.userId);
        expect(deleted).to.have.length(1);
    });

    it('leaves nothing that a request on its way could bring back', async () => {
        const late = bob.call('PUT', `${ROUTE}/avatar`, { payload: PNG, headers: { 'content-type': 'image/png' } });
        await Promise.all([late, remove(), bob.call('PATCH', ROUTE, { payload: { displayName: 'Late' } })]);
        expect(await left('avatar')).to.equal(0);
    });
});
