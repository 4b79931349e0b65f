import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { randomAddress, startApp, type Answer, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { asCookies, cookiesOf, sameOrigin } from '../../helpers/cookies.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { startRedis } from '../../helpers/redis.ts';
import { newTenant } from '../../helpers/tenant.ts';
import { setUserField } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const sessionOf = (refreshToken: string) => refreshToken.split('.')[4] ?? '';

/** Says that an answer is the success, and takes both cookies away. */
function expectSuccess(answer: Answer): void {
    expect(answer.status, answer.text).to.equal(200);
    expect(answer.body).to.include({ success: true, data: { message: 'Successfully logged out' } });
    const { access, refresh } = cookiesOf(answer);
    expect(access).to.include({ value: '' });
    expect(refresh).to.include({ value: '' });
    expect(access?.attributes).to.include(['Max-Age=0', 'Path=/', 'HttpOnly']);
    expect(refresh?.attributes).to.include(['Max-Age=0', 'Path=/api', 'HttpOnly']);
}

for (const route of ['/api/auth/logout', '/api/logout']) {
    describe(`POST ${route}`, () => {
        let app: TestApp;
        const logout = (options: object) => app.call('POST', route, options);
        const me = (token: string) => app.call('GET', '/api/auth/me', { token });
        const refresh = (refreshToken: string) => app.call('POST', '/api/auth/refresh', { payload: { refreshToken } });

        before(async () => {
            app = await startApp();
        });

        after(() => app.stop());

        it('ends the session at once, for both tokens', async () => {
            const { accessToken, refreshToken } = await newTenant(app);
            expectSuccess(await logout({ token: accessToken }));
            expectError(await me(accessToken), 'SESSION_ENDED');
            expectError(await refresh(refreshToken), 'SESSION_ENDED');
        });

        it('refuses the token by its id for the rest of its life, and no longer', async () => {
            const { accessToken, tenantId } = await newTenant(app);
            await logout({ token: accessToken });
            const { jti } = JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString());
            expect(await app.redis.pttl(tenantKey(tenantId, 'revoked', jti))).to.be.within(840_000, 900_000);
        });

        it('ends the session for its other access tokens too', async () => {
            const { accessToken, refreshToken } = await newTenant(app);
            const newer = (await refresh(refreshToken)).body.data;
            expectSuccess(await logout({ token: newer.accessToken }));
            expectError(await me(accessToken), 'SESSION_ENDED');
        });

        it('lets the other sessions of the user live', async () => {
            const { email, password, accessToken } = await newTenant(app);
            const other = (await app.call('POST', '/api/login', { payload: { email, password } })).body.data;
            expectSuccess(await logout({ token: accessToken }));
            expect((await me(other.accessToken)).status).to.equal(200);
        });

        it('succeeds a second time, and writes nothing then', async () => {
            const { accessToken, tenantId } = await newTenant(app);
            expectSuccess(await logout({ token: accessToken }));
            const entries = await readAudit(app, tenantId);
            expectSuccess(await logout({ token: accessToken }));
            expect(await readAudit(app, tenantId)).to.equal(entries);
        });

        it('is audited once when 10 come at once', async () => {
            const { accessToken, tenantId } = await newTenant(app);
            const answers = await Promise.all(Array.from({ length: 10 }, () => logout({ token: accessToken })));
            for (const answer of answers) expectSuccess(answer);
            const entries = (await readAudit(app, tenantId)).filter(({ action }) => action === 'auth.logout');
            expect(entries).to.have.length(1);
        });

        it('audits who, from where and under which request', async () => {
            const { accessToken, refreshToken, tenantId, userId } = await newTenant(app);
            const from = randomAddress();
            await logout({
                token: accessToken,
                from,
                headers: { 'x-request-id': 'logout-1234', 'user-agent': 'a test' },
            });
            expect((await readAudit(app, tenantId)).at(-1)).to.equal({
                userId,
                action: 'auth.logout',
                resource: 'session',
                resourceId: sessionOf(refreshToken),
                result: 'success',
                ipAddress: from,
                userAgent: 'a test',
                correlationId: 'logout-1234',
            });
        });

        it('succeeds without a credential and with a forged one', async () => {
            expectSuccess(await logout({}));
            expectSuccess(await logout({ token: 'no.real.token' }));
            expectSuccess(await logout({ headers: sameOrigin({ refresh: 'nonsense' }) }));
        });

        it('takes the refresh cookie alone', async () => {
            const { accessToken, refreshToken } = await newTenant(app);
            expectSuccess(await logout({ headers: sameOrigin({ refresh: refreshToken }) }));
            expectError(await me(accessToken), 'SESSION_ENDED');
            expectError(await refresh(refreshToken), 'SESSION_ENDED');
        });

        it('takes the refresh cookie when the access token has expired', async () => {
            const { accessToken, refreshToken } = await newTenant(app);
            await app.advance(901_000);
            const headers = sameOrigin({ access: accessToken, refresh: refreshToken });
            expectSuccess(await logout({ headers }));
            expectError(await refresh(refreshToken), 'SESSION_ENDED');
        });

        it('ends the session of a user who is disabled by the refresh cookie', async () => {
            const { accessToken, refreshToken, tenantId, userId } = await newTenant(app);
            await setUserField(app, tenantId, userId, 'isActive', '0');
            expectSuccess(await logout({ headers: sameOrigin({ access: accessToken, refresh: refreshToken }) }));
            expect(await app.redis.exists(tenantKey(tenantId, 'session', sessionOf(refreshToken)))).to.equal(0);
        });

        it('takes the access cookie from the same origin', async () => {
            const { accessToken } = await newTenant(app);
            expectSuccess(await logout({ headers: sameOrigin({ access: accessToken }) }));
            expectError(await me(accessToken), 'SESSION_ENDED');
        });

        for (const which of ['access', 'refresh'] as const) {
            it(`rejects the ${which} cookie from elsewhere, and the session lives`, async () => {
                const { accessToken, refreshToken } = await newTenant(app);
                const cookies = which === 'access' ? { access: accessToken } : { refresh: refreshToken };
                const answer = await logout({ headers: asCookies(cookies) });
                expectError(answer, 'CSRF_REJECTED');
                expect(cookiesOf(answer)).to.equal({});
                expect((await me(accessToken)).status).to.equal(200);
            });
        }

        it('refuses another tenant than the token is for, and the session lives', async () => {
            const [one, other] = [await newTenant(app), await newTenant(app)];
            const headers = { 'x-tenant-id': other.tenantId };
            expectError(await logout({ token: one.accessToken, headers }), 'TENANT_MISMATCH');
            expect((await me(one.accessToken)).status).to.equal(200);
        });

        it('answers 503 when Redis is away, and takes no cookie away', async () => {
            const redis = await startRedis();
            const lone = await startApp({ redisPath: redis.path });
            const { accessToken, refreshToken } = await newTenant(lone);
            await redis.stop();
            const answers = [
                await lone.call('POST', route, { token: accessToken }),
                await lone.call('POST', route, { headers: sameOrigin({ refresh: refreshToken }) }),
            ];
            await lone.stop();
            for (const answer of answers) {
                expectError(answer, 'STORE_UNAVAILABLE');
                expect(cookiesOf(answer)).to.equal({});
            }
        });
    });
}
