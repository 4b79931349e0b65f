import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { Passwords } from '../../../src/security/passwords.ts';
import { startApp, startReplicas, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const ROUTE = '/api/auth/password';
const NEW = 'another password for a test';

describe(`POST ${ROUTE}`, () => {
    let app: TestApp;
    let other: TestApp;

    before(async () => {
        [app, other] = await startReplicas();
    });

    after(async () => {
        await app.stop();
        await other.stop();
    });

    const login = ({ email }: TestTenant, password: string) =>
        app.call('POST', '/api/login', { payload: { email, password } });
    const change = ({ call }: TestTenant, currentPassword: string, newPassword: string) =>
        call('POST', ROUTE, { payload: { currentPassword, newPassword } });

    it('changes the password', async () => {
        const tenant = await newTenant(app);
        const { status, body } = await change(tenant, tenant.password, NEW);
        expect([status, body.data]).to.equal([200, { endedSessions: 0 }]);
        expectError(await login(tenant, tenant.password), 'INVALID_CREDENTIALS');
        expect((await login(tenant, NEW)).status).to.equal(200);
        const stored = await app.redis.hgetall(tenantKey(tenant.tenantId, 'user', tenant.userId));
        expect(stored.revision).to.equal('2');
        expect(JSON.stringify(await readAudit(app, tenant.tenantId))).to.not.include(NEW);
    });

    it('ends all other sessions on every replica at once, and tells of it', async () => {
        const tenant = await newTenant(app);
        const { accessToken, refreshToken } = (await login(tenant, tenant.password)).body.data;
        expect((await other.call('GET', '/api/auth/me', { token: accessToken })).status).to.equal(200);
        expect((await change(tenant, tenant.password, NEW)).body.data).to.equal({ endedSessions: 1 });
        expectError(await other.call('GET', '/api/auth/me', { token: accessToken }), 'SESSION_ENDED');
        expectError(await other.call('POST', '/api/auth/refresh', { payload: { refreshToken } }), 'SESSION_ENDED');
        expect((await other.call('GET', '/api/auth/me', { token: tenant.accessToken })).status).to.equal(200);
        const [changed, ended, refused] = (await readAudit(app, tenant.tenantId)).slice(-3);
        const common = { userId: tenant.userId, result: 'success' };
        expect(changed).to.include({ ...common, action: 'auth.password_change', resourceId: tenant.userId });
        expect(ended).to.include({ ...common, action: 'auth.session_end' });
        expect(refused).to.include({ action: 'auth.refresh', result: 'SESSION_ENDED' });
    });

    it('refuses a wrong current password, and counts it as a failed login', () =>
        app.inNoTime(async () => {
            const tenant = await newTenant(app);
            for (let n = 0; n < 5; n++) expectError(await change(tenant, 'wrong', NEW), 'INVALID_CREDENTIALS');
            expect((await readAudit(app, tenant.tenantId)).at(-1)).to.include({
                action: 'auth.password_change',
                result: 'INVALID_CREDENTIALS',
            });
            expectError(await change(tenant, tenant.password, NEW), 'RATE_LIMITED');
            expectError(await login(tenant, tenant.password), 'ACCOUNT_DELAYED');
        }));

    it('refuses a right password of an account that is delayed, and tells the audit', async () => {
        const tenant = await newTenant(app);
        for (let n = 0; n < 6; n++) await login(tenant, 'wrong');
        expectError(await change(tenant, tenant.password, NEW), 'ACCOUNT_DELAYED');
        expect((await readAudit(app, tenant.tenantId)).at(-1)).to.include({
            action: 'auth.password_change',
            userId: tenant.userId,
            result: 'ACCOUNT_DELAYED',
        });
    });

    it('refuses a password that is easy to guess or one’s own address', async () => {
        const tenant = await newTenant(app);
        const faults = async (password: string) => {
            const answer = await change(tenant, tenant.password, password);
            expectFaults(answer, ['newPassword']);
            return answer.body.error.details.fields.newPassword;
        };
        expect(await faults('password1')).to.match(/^newPassword is too easy to guess\. .*\.$/);
        await faults(tenant.email.toUpperCase());
        await faults(tenant.domain);
        await faults('short');
        expect((await login(tenant, tenant.password)).status).to.equal(200);
    });

    it('lets one of many at once win', async () => {
        const tenant = await newTenant(app);
        const answers = await Promise.all(
            Array.from({ length: 5 }, (_, n) => change(tenant, tenant.password, `${NEW} number ${n}`)),
        );
        const won = answers.flatMap(({ status }, n) => (status === 200 ? [n] : []));
        expect(won).to.have.length(1);
        expect((await login(tenant, `${NEW} number ${won[0]}`)).status).to.equal(200);
    });

    it('needs a session, both fields and no others', async () => {
        const tenant = await newTenant(app);
        const payload = { currentPassword: tenant.password, newPassword: NEW };
        expectError(await app.call('POST', ROUTE, { payload }), 'UNAUTHENTICATED');
        expectFaults(await tenant.call('POST', ROUTE, { payload: {} }), ['currentPassword', 'newPassword']);
        expectFaults(await tenant.call('POST', ROUTE, { payload: { ...payload, more: 1 } }), ['more']);
    });
});

describe('POST /api/auth/register with a password that is easy to guess', () => {
    let app: TestApp;

    before(async () => {
        app = await startApp();
    });

    after(() => app.stop());

    it('is refused, and takes no domain', async () => {
        const { domain } = await newTenant(app);
        const details = { tenantName: 'Wolfgang & Partners', domain: `x${domain}`, email: `ada.lovelace@x${domain}` };
        const register = (password: string) =>
            app.call('POST', '/api/auth/register', {
                payload: { ...details, displayName: 'Countess Lovelace', password },
            });
        for (const password of ['12345678', 'Wolfgang & Partners', 'countess lovelace', details.email]) {
            expectFaults(await register(password), ['password']);
        }
        expect(await app.redis.exists(tenantKey('platform', 'domain', details.domain))).to.equal(0);
        expect((await register('a password for a test')).status).to.equal(201);
    });
});

describe('a login after the cost was raised', () => {
    let low: TestApp;
    let high: TestApp;

    before(async () => {
        low = await startApp();
        const { JWT_KEYS, VAULT_KEYS } = low.config;
        high = await startApp({ config: { JWT_KEYS, VAULT_KEYS, BCRYPT_COST: 5 } });
    });

    after(async () => {
        await low.stop();
        await high.stop();
    });

    const hashOf = async ({ tenantId, userId }: TestTenant): Promise<string> =>
        String(await low.redis.hget(tenantKey(tenantId, 'user', userId), 'passwordHash'));
    const login = (app: TestApp, { email }: TestTenant, password: string) =>
        app.call('POST', '/api/login', { payload: { email, password } });

    it('stores the password anew with that cost, once', async () => {
        const tenant = await newTenant(low);
        expect(await hashOf(tenant)).to.startWith('$2b$04$');
        expectError(await login(high, tenant, 'not the password'), 'INVALID_CREDENTIALS');
        expect(await hashOf(tenant)).to.startWith('$2b$04$');
        expect((await login(high, tenant, tenant.password)).status).to.equal(200);
        const raised = await hashOf(tenant);
        expect(raised).to.startWith('$2b$05$');
        expect((await login(high, tenant, tenant.password)).status).to.equal(200);
        expect((await login(low, tenant, tenant.password)).status).to.equal(200);
        expect(await hashOf(tenant)).to.equal(raised);
    });

    it('succeeds for several at once, though the hash changes under them', async () => {
        const tenant = await newTenant(low);
        const answers = await Promise.all([1, 2, 3].map(() => login(high, tenant, tenant.password)));
        expect(answers.map(({ status }) => status)).to.equal([200, 200, 200]);
        expect(await hashOf(tenant)).to.startWith('$2b$05$');
    });

    it('does not bring back a password that was changed meanwhile', async () => {
        for (let n = 0; n < 5; n++) {
            const tenant = await newTenant(low);
            const payload = { currentPassword: tenant.password, newPassword: NEW };
            const [entered, changed] = await Promise.all([
                login(high, tenant, tenant.password),
                tenant.call('POST', ROUTE, { payload }),
            ]);
            expect(changed.status).to.equal(200);
            expect(await new Passwords(4).verify(NEW, await hashOf(tenant))).to.be.true();
            if (entered.status !== 200) continue;
            // It came first: then the change has ended its session.
            const me = await low.call('GET', '/api/auth/me', { token: entered.body.data.accessToken });
            expectError(me, 'SESSION_ENDED');
        }
    });
});
