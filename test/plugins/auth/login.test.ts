import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { PLATFORM_ADMIN, randomAddress, startApp, type Answer, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { cookiesOf } from '../../helpers/cookies.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { newTenant } from '../../helpers/tenant.ts';
import { newUser, setUserField } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

/** What two refusals must have in common: everything but ids and times. */
const comparable = ({ status, headers, body }: Answer) => {
    const { correlationId: _id, ...error } = body.error;
    const { 'x-request-id': _request, date: _date, 'x-ratelimit-reset': _reset, ...others } = headers;
    return { status, error, others };
};

for (const route of ['/api/auth/login', '/api/login']) {
    describe(`POST ${route}`, () => {
        let app: TestApp;
        const login = (payload: object, options: object = {}) => app.call('POST', route, { payload, ...options });

        before(async () => {
            app = await startApp();
        });

        after(() => app.stop());

        it('answers with user, tenant and tokens that work', async () => {
            const { email, password, userId, tenantId } = await newTenant(app);
            const { status, body, text } = await login({ email, password });
            expect(status).to.equal(200);
            expect(Object.keys(body.data).toSorted()).to.equal([
                'accessToken',
                'expiresIn',
                'refreshToken',
                'tenant',
                'user',
            ]);
            expect(body.data).to.include({ expiresIn: 900 });
            expect(body.data.user).to.include({ id: userId, email, username: email });
            expect(body.data.tenant).to.include({ id: tenantId, status: 'active' });
            expect(text).not.to.include('passwordHash').and.not.to.include(password);
            expect((await app.call('GET', '/api/auth/me', { token: body.data.accessToken })).status).to.equal(200);
        });

        it('sets both tokens as httpOnly cookies', async () => {
            const { email, password } = await newTenant(app);
            const answer = await login({ email, password });
            const { access, refresh } = cookiesOf(answer);
            expect(access?.value).to.equal(answer.body.data.accessToken);
            expect(refresh?.value).to.equal(answer.body.data.refreshToken);
            expect(access?.attributes).to.include(['HttpOnly', 'SameSite=Strict']);
            expect(refresh?.attributes).to.include(['HttpOnly', 'SameSite=Strict']);
        });

        it('takes the e-mail address as `username`, in any case', async () => {
            const { email, password, userId } = await newTenant(app);
            const answers = [
                await login({ username: email, password }),
                await login({ username: email.toUpperCase(), password }),
            ];
            expect(answers.map(({ body }) => body.data?.user.id)).to.equal([userId, userId]);
        });

        it('finds the tenant by domain, by id, and by the domain of the e-mail address', async () => {
            const { domain, email, password, tenantId } = await newTenant(app);
            for (const place of [{ domain }, { domain: domain.toUpperCase() }, { tenantId }, {}]) {
                const { body } = await login({ email, password, ...place });
                expect(body.data?.tenant.id).to.equal(tenantId);
            }
        });

        it('finds a user whose address is of another domain by the tenant only', async () => {
            const { domain, tenantId } = await newTenant(app);
            const { email, password, userId } = await newUser(app, tenantId, 'user');
            expect((await login({ email, password, domain })).body.data.user.id).to.equal(userId);
            expect((await login({ email, password, tenantId })).body.data.user.id).to.equal(userId);
            expectError(await login({ email, password }), 'INVALID_CREDENTIALS');
        });

        it('does not let a user into another tenant', async () => {
            const [one, other] = [await newTenant(app), await newTenant(app)];
            const { email, password } = one;
            for (const place of [{ tenantId: other.tenantId }, { domain: other.domain }]) {
                expectError(await login({ email, password, ...place }), 'INVALID_CREDENTIALS');
            }
        });

        it('gives each login a session of its own', async () => {
            const { email, password } = await newTenant(app);
            const [one, other] = [await login({ email, password }), await login({ email, password })];
            await app.call('POST', '/api/auth/logout', { token: one.body.data.accessToken });
            const me = await app.call('GET', '/api/auth/me', { token: other.body.data.accessToken });
            expect(me.status).to.equal(200);
        });

        it('refuses a wrong password, an unknown user and an unknown tenant alike', async () => {
            const { domain, email, password } = await newTenant(app);
            const answers = [
                await login({ email, password: `${password}!` }),
                await login({ email: `nobody@${domain}`, password }),
                await login({ email: 'ada@unknown.example', password }),
                await login({ email, password, tenantId: 'tenant_00000000000000000000000000' }),
                await login({ email, password, domain: 'unknown.example' }),
                await login({ email, password: ''.padEnd(7, 'x') }),
            ];
            for (const answer of answers) {
                expectError(answer, 'INVALID_CREDENTIALS');
                expect(comparable(answer)).to.equal(comparable(answers[0] as Answer));
                expect(cookiesOf(answer)).to.equal({});
            }
        });

        it('refuses the users of a suspended tenant, if the password fits', async () => {
            const { email, password, tenantId } = await newTenant(app);
            await app.redis.hset(tenantKey(tenantId, 'info'), 'status', 'suspended');
            expectError(await login({ email, password }), 'TENANT_SUSPENDED');
            expectError(await login({ email, password: 'not the password' }), 'INVALID_CREDENTIALS');
            expect((await readAudit(app, tenantId)).map(({ result }) => result)).to.equal([
                'success',
                'TENANT_SUSPENDED',
                'INVALID_CREDENTIALS',
            ]);
        });

        it('refuses a disabled user, if the password fits', async () => {
            const { email, password, tenantId, userId } = await newTenant(app);
            await setUserField(app, tenantId, userId, 'isActive', '0');
            expectError(await login({ email, password }), 'USER_DISABLED');
            expectError(await login({ email, password: 'not the password' }), 'INVALID_CREDENTIALS');
        });

        it('makes no session for who is refused', async () => {
            const { email, tenantId, userId } = await newTenant(app);
            await login({ email, password: 'not the password' });
            expect(await app.redis.zcard(tenantKey(tenantId, 'user', userId, 'sessions'))).to.equal(1);
            expect(await app.redis.keys(tenantKey(tenantId, 'session', '*'))).to.have.length(1);
        });

        it('audits success and refusal with the request id, and no password', async () => {
            const { email, password, tenantId, userId } = await newTenant(app);
            const from = randomAddress();
            const send = (id: string, secret: string) =>
                login({ email, password: secret }, { from, headers: { 'x-request-id': id, 'user-agent': 'a test' } });
            await send('login-refused', 'not the password');
            await send('login-succeeded', password);
            const [, refused, succeeded] = await readAudit(app, tenantId);
            const common = { action: 'auth.login', resource: 'user', resourceId: userId, ipAddress: from };
            expect(refused).to.equal({
                ...common,
                result: 'INVALID_CREDENTIALS',
                userAgent: 'a test',
                correlationId: 'login-refused',
            });
            expect(succeeded).to.equal({
                ...common,
                userId,
                result: 'success',
                userAgent: 'a test',
                correlationId: 'login-succeeded',
            });
            const everything = JSON.stringify(await readAudit(app, tenantId));
            expect(everything).not.to.include(password).and.not.to.include('not the password');
        });

        it('audits who is not found in the audit of the platform', async () => {
            const { domain, password } = await newTenant(app);
            const headers = { 'x-request-id': `nobody-${domain.slice(0, 16)}` };
            await login({ email: `nobody@${domain}`, password }, { headers });
            const entries = await readAudit(app, 'platform');
            const found = entries.filter(({ correlationId }) => correlationId === headers['x-request-id']);
            expect(found).to.have.length(1);
            expect(found[0]).to.include({ result: 'INVALID_CREDENTIALS', resourceId: `nobody@${domain}` });
        });

        it('logs the platform admin in', async () => {
            const { body } = await login(PLATFORM_ADMIN);
            expect(body.data.user).to.include({ role: 'superadmin', email: PLATFORM_ADMIN.email });
            expect(body.data.tenant.id).to.equal('platform');
        });

        it('refuses a request without its fields', async () => {
            const { email, password } = await newTenant(app);
            expectFaults(await login({ email }), ['password']);
            expectFaults(await login({ password }), ['body']);
            expectError(await app.call('POST', route), 'VALIDATION_ERROR');
        });

        it('refuses fields it does not know, of the wrong type, or that exclude each other', async () => {
            const { email, password, domain, tenantId } = await newTenant(app);
            expectFaults(await login({ email, password, remember: true }), ['remember']);
            expectFaults(await login({ email, password: 12_345_678 }), ['password']);
            expectFaults(await login({ email: ['ada'], password }), ['email']);
            expectFaults(await login({ email: 'ada', password }), ['email']);
            expectFaults(await login({ email, password, tenantId: 'a}b' }), ['tenantId']);
            expectFaults(await login({ email, password: 'x'.repeat(257) }), ['password']);
            expectFaults(await login({ email, username: email, password }), ['body']);
            expectFaults(await login({ email, password, domain, tenantId }), ['body']);
        });
    });
}

describe('the limit of the login', () => {
    let app: TestApp;

    before(async () => {
        app = await startApp();
    });

    after(() => app.stop());

    it('is 5 a minute for one address at both paths together, and not for another address', () =>
        app.inNoTime(async () => {
            const { email, password, tenantId } = await newTenant(app);
            const from = randomAddress();
            const paths = ['/api/login', '/api/auth/login', '/api/login', '/api/auth/login', '/api/login'];
            for (const [n, path] of paths.entries()) {
                const { status, headers } = await app.call('POST', path, { payload: { email, password }, from });
                expect(status).to.equal(200);
                expect(headers).to.include({ 'x-ratelimit-limit': '5', 'x-ratelimit-remaining': String(4 - n) });
            }
            for (const path of ['/api/login', '/api/auth/login', '/api/v1/auth/login']) {
                const refused = await app.call('POST', path, { payload: { email, password }, from });
                expectError(refused, 'RATE_LIMITED');
                expect(Number(refused.headers['retry-after'])).to.be.within(1, 12);
            }
            expect(await readAudit(app, tenantId)).to.have.length(6);
            expect((await app.call('POST', '/api/login', { payload: { email, password } })).status).to.equal(200);

            await app.advance(12_000);
            const answers = [];
            for (const path of ['/api/login', '/api/auth/login']) {
                answers.push(await app.call('POST', path, { payload: { email, password }, from }));
            }
            expect(answers.map(({ status }) => status)).to.equal([200, 429]);
        }));
});
