import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { startMailServer, tokenIn, type TestMailServer } from '../../helpers/mail.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newUser, setUserField } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const FORGOT = '/api/auth/password/forgot';
const RESET = '/api/auth/password/reset';
const NEW = 'another password for a test';
const NOBODY = 'user_00000000000000000000000000';

const resetOf = (userId: string) => `/api/users/${userId}/password-reset`;

/** Waits until the audit of the tenant has such an entry: what is done after the answer ends with one. */
async function untilAudited(app: TestApp, tenantId: string, resourceId: string, result: string): Promise<void> {
    for (;;) {
        const entries = await readAudit(app, tenantId);
        const isIt = (entry: Record<string, string>) =>
            entry.action === 'auth.password_forgot' && entry.resourceId === resourceId && entry.result === result;
        if (entries.some(isIt)) return;
        await new Promise((resolve) => setTimeout(resolve, 5));
    }
}

describe('resetting a password', () => {
    let app: TestApp;
    let other: TestApp;
    let mail: TestMailServer;

    before(async () => {
        mail = await startMailServer();
        app = await startApp({ config: mail.config });
        const { JWT_KEYS, VAULT_KEYS } = app.config;
        other = await startApp({ config: { JWT_KEYS, VAULT_KEYS } });
    });

    after(async () => {
        await app.stop();
        await other.stop();
        await mail.stop();
    });

    const forgot = (payload: object) => app.call('POST', FORGOT, { payload });
    const reset = (token: string, newPassword = NEW, at = app) =>
        at.call('POST', RESET, { payload: { token, newPassword } });
    const login = ({ email }: { email: string }, password: string) =>
        app.call('POST', '/api/login', { payload: { email, password } });
    const tokenFor = async ({ call, userId }: TestTenant): Promise<string> =>
        (await call('POST', resetOf(userId))).body.data.token;

    describe(`POST ${FORGOT}`, () => {
        it('mails a token that lets its user choose a password', async () => {
            const tenant = await newTenant(app);
            const before = mail.mails.length;
            expect((await forgot({ email: tenant.email })).status).to.equal(200);
            const sent = (await mail.until(before + 1))[before];
            expect(sent).to.include({ from: 'no-reply@acme.example', to: [tenant.email] });
            expect((await reset(tokenIn(sent))).status).to.equal(200);
            expectError(await login(tenant, tenant.password), 'INVALID_CREDENTIALS');
            expect((await login(tenant, NEW)).status).to.equal(200);
        });

        it('finds the tenant as the login does', async () => {
            const { tenantId, domain } = await newTenant(app);
            const user = await newUser(app, tenantId, 'user');
            for (const place of [{ tenantId }, { domain }]) {
                const before = mail.mails.length;
                await forgot({ email: user.email, ...place });
                expect((await mail.until(before + 1))[before]?.to).to.equal([user.email]);
            }
        });

        it('answers the same for those who do not exist or may not log in, and mails nothing', async () => {
            const tenant = await newTenant(app);
            const disabled = await newUser(app, tenant.tenantId, 'user');
            await setUserField(app, tenant.tenantId, disabled.userId, 'isActive', '0');
            const before = mail.mails.length;
            const nobody = `nobody@${tenant.domain}`;
            const known = await forgot({ email: tenant.email });
            for (const payload of [
                { email: nobody },
                { email: `ada@unknown.${tenant.domain}` },
                { email: tenant.email, tenantId: 'tenant_00000000000000000000000000' },
                { email: disabled.email, tenantId: tenant.tenantId },
            ]) {
                const { status, body } = await forgot(payload);
                expect([status, body.data]).to.equal([known.status, known.body.data]);
                await untilAudited(app, 'platform', payload.email, 'USER_NOT_FOUND');
            }
            await untilAudited(app, tenant.tenantId, tenant.userId, 'success');
            expect((await mail.until(before + 1)).slice(before).map(({ to }) => to)).to.equal([[tenant.email]]);
        });

        it('mails three at most while they are good', async () => {
            const tenant = await newTenant(app);
            const before = mail.mails.length;
            for (let n = 0; n < 4; n++) await forgot({ email: tenant.email });
            await untilAudited(app, tenant.tenantId, tenant.userId, 'RATE_LIMITED');
            const tokens = (await mail.until(before + 3)).slice(before).map(tokenIn);
            expect(new Set(tokens).size).to.equal(3);
            expect(mail.mails).to.have.length(before + 3);
        });

        it('answers the same without a mail server, and makes no token', async () => {
            const tenant = await newTenant(other);
            const { status, body } = await other.call('POST', FORGOT, { payload: { email: tenant.email } });
            expect([status, body.data]).to.equal([200, (await forgot({ email: 'x@unknown.example' })).body.data]);
            await untilAudited(other, tenant.tenantId, tenant.userId, 'NO_MAIL_SERVER');
            const key = tenantKey(tenant.tenantId, 'user', tenant.userId, 'resets');
            expect(await other.redis.exists(key)).to.equal(0);
        });

        it('answers the same when the mail server refuses, and logs it without the token', async () => {
            const refusing = await startMailServer();
            refusing.refuse();
            const failing = await startApp({ config: refusing.config });
            const tenant = await newTenant(failing);
            const answer = await failing.call('POST', FORGOT, { payload: { email: tenant.email } });
            expect(answer.status).to.equal(200);
            const line = () => failing.logs.find(({ msg }) => msg === 'Work in the background failed');
            while (!line()) await new Promise((resolve) => setTimeout(resolve, 5));
            expect(line()).to.include({ module: 'auth', requestId: answer.body.requestId });
            expect(JSON.stringify(failing.logs)).to.not.include('pr1.');
            await failing.stop();
            await refusing.stop();
        });

        it('refuses what is no address, and too many requests', () =>
            app.inNoTime(async () => {
                expectFaults(await forgot({ email: 'ada' }), ['email']);
                expectFaults(await forgot({}), ['email']);
                expectFaults(await forgot({ email: 'a@b.example', more: 1 }), ['more']);
                const from = '10.77.0.1';
                const call = () => app.call('POST', FORGOT, { payload: { email: 'x@unknown.example' }, from });
                for (let n = 0; n < 5; n++) expect((await call()).status).to.equal(200);
                expectError(await call(), 'RATE_LIMITED');
            }));
    });

    describe(`POST ${RESET}`, () => {
        it('ends all sessions on every replica at once', async () => {
            const tenant = await newTenant(app);
            const second = (await login(tenant, tenant.password)).body.data.accessToken;
            const token = await tokenFor(tenant);
            expect((await reset(token, NEW, other)).status).to.equal(200);
            for (const access of [tenant.accessToken, second]) {
                expectError(await app.call('GET', '/api/auth/me', { token: access }), 'SESSION_ENDED');
            }
            const payload = { refreshToken: tenant.refreshToken };
            expectError(await app.call('POST', '/api/auth/refresh', { payload }), 'SESSION_ENDED');
            expect(await app.redis.hget(tenantKey(tenant.tenantId, 'user', tenant.userId), 'epoch')).to.match(/^\d+$/);
            const entries = await readAudit(app, tenant.tenantId);
            expect(entries.filter(({ action }) => action === 'auth.session_end')).to.have.length(2);
            expect(entries.find(({ action }) => action === 'auth.password_reset')).to.include({
                userId: tenant.userId,
                result: 'success',
            });
        });

        it('takes a token once, of many at once exactly one', async () => {
            const tenant = await newTenant(app);
            const token = await tokenFor(tenant);
            const answers = await Promise.all(
                Array.from({ length: 10 }, (_, n) => reset(token, `${NEW} number ${n}`, n % 2 ? app : other)),
            );
            const won = answers.flatMap(({ status }, n) => (status === 200 ? [n] : []));
            expect(won).to.have.length(1);
            for (const answer of answers.filter(({ status }) => status !== 200)) {
                expectError(answer, 'RESET_TOKEN_INVALID');
            }
            expect((await login(tenant, `${NEW} number ${won[0]}`)).status).to.equal(200);
        });

        it('takes no other token of the user afterwards, nor after a change', async () => {
            const tenant = await newTenant(app);
            const [one, two] = [await tokenFor(tenant), await tokenFor(tenant)];
            expect((await reset(one)).status).to.equal(200);
            expectError(await reset(two), 'RESET_TOKEN_INVALID');
            const changed = await newTenant(app);
            const token = await tokenFor(changed);
            const payload = { currentPassword: changed.password, newPassword: NEW };
            expect((await changed.call('POST', '/api/auth/password', { payload })).status).to.equal(200);
            expectError(await reset(token), 'RESET_TOKEN_INVALID');
        });

        it('lets a user in whose account was delayed', async () => {
            const tenant = await newTenant(app);
            const token = await tokenFor(tenant);
            for (let n = 0; n < 5; n++) await login(tenant, 'not the password');
            expectError(await login(tenant, tenant.password), 'ACCOUNT_DELAYED');
            expect((await reset(token)).status).to.equal(200);
            expect((await login(tenant, NEW)).status).to.equal(200);
        });

        it('keeps the token when the password is refused', async () => {
            const tenant = await newTenant(app);
            const token = await tokenFor(tenant);
            expectFaults(await reset(token, 'password1'), ['newPassword']);
            expectFaults(await reset(token, tenant.email), ['newPassword']);
            expectFaults(await reset(token, 'short'), ['newPassword']);
            expect((await reset(token)).status).to.equal(200);
        });

        it('refuses altered tokens, those of others, and those of a disabled user', async () => {
            const [tenant, stranger] = [await newTenant(app), await newTenant(app)];
            const [token, foreign] = [await tokenFor(tenant), await tokenFor(stranger)];
            const secret = token.split('.').at(-1) ?? '';
            const swapped = token.replace(tenant.tenantId, stranger.tenantId).replace(tenant.userId, stranger.userId);
            const gone = token.replace(tenant.tenantId, 'tenant_gone');
            const wrong = [
                gone,
                swapped,
                token.replace(secret, foreign.split('.').at(-1) ?? ''),
                `${token}x`,
                'pr1.a}b.c.d',
            ];
            for (const one of wrong) expectError(await reset(one), 'RESET_TOKEN_INVALID');
            await setUserField(app, tenant.tenantId, tenant.userId, 'isActive', '0');
            expectError(await reset(token), 'RESET_TOKEN_INVALID');
            const refusals = async (tenantId: string) =>
                (await readAudit(app, tenantId)).filter(({ result }) => result === 'RESET_TOKEN_INVALID');
            // By the user that the token names, whoever has it; where it names none, in the platform's audit.
            expect(await refusals(stranger.tenantId)).to.have.length(1);
            expect(await refusals(tenant.tenantId)).to.have.length(2);
            expect((await refusals('platform')).slice(-2).map(({ resourceId }) => resourceId)).to.include('unknown');
            expect(await app.redis.exists(tenantKey('tenant_gone', 'audit'))).to.equal(0);
            expect((await login(stranger, stranger.password)).status).to.equal(200);
        });

        it('refuses a token after an hour', async () => {
            const late = await startApp();
            const tenant = await newTenant(late);
            const token = await tokenFor(tenant);
            await late.advance(3_600_000);
            expectError(await reset(token, NEW, late), 'RESET_TOKEN_INVALID');
            await late.stop();
        });
    });

    describe('POST /api/users/{userId}/password-reset', () => {
        it('gives an admin a token for a user of the tenant, and keeps its digest only', async () => {
            const tenant = await newTenant(app);
            const user = await newUser(app, tenant.tenantId, 'user');
            const { status, body } = await tenant.call('POST', resetOf(user.userId));
            expect(status).to.equal(201);
            expect(Date.parse(body.data.expiresAt) - Date.parse(body.timestamp)).to.be.about(3_600_000, 5_000);
            const key = tenantKey(tenant.tenantId, 'user', user.userId, 'resets');
            const [kept = ''] = await app.redis.zrange(key, '0', '-1');
            expect(kept).to.match(/^[0-9a-f]{64}$/);
            expect((await readAudit(app, tenant.tenantId)).at(-1)).to.include({
                action: 'user.password_reset',
                userId: tenant.userId,
                resourceId: user.userId,
            });
            expect((await reset(body.data.token)).status).to.equal(200);
            const payload = { email: user.email, password: NEW, tenantId: tenant.tenantId };
            expect((await app.call('POST', '/api/login', { payload })).status).to.equal(200);
        });

        it('knows users of the own tenant only, and needs an admin', async () => {
            const [tenant, stranger] = [await newTenant(app), await newTenant(app)];
            const user = await newUser(app, tenant.tenantId, 'user');
            expectError(await stranger.call('POST', resetOf(user.userId)), 'USER_NOT_FOUND');
            expectError(await tenant.call('POST', resetOf(NOBODY)), 'USER_NOT_FOUND');
            expectError(await user.call('POST', resetOf(tenant.userId)), 'FORBIDDEN');
            expectError(await app.call('POST', resetOf(user.userId)), 'UNAUTHENTICATED');
            expectFaults(await tenant.call('POST', resetOf('x')), ['userId']);
        });
    });
});
