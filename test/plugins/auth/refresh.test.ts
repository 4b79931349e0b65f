import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { randomAddress, startApp, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { asCookies, cookiesOf, sameOrigin } from '../../helpers/cookies.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { newTenant } from '../../helpers/tenant.ts';
import { setUserField } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const ROUTE = '/api/auth/refresh';

/** The session that a refresh token stands for. */
const sessionOf = (refreshToken: string) => refreshToken.split('.')[4] ?? '';

describe('POST /api/auth/refresh', () => {
    let app: TestApp;
    const refresh = (refreshToken: string) => app.call('POST', ROUTE, { payload: { refreshToken } });
    const me = (token: string) => app.call('GET', '/api/auth/me', { token });

    before(async () => {
        app = await startApp();
    });

    after(() => app.stop());

    it('gives new tokens of the same session', async () => {
        const tenant = await newTenant(app);
        const answer = await refresh(tenant.refreshToken);
        expect(answer.status).to.equal(200);
        const { user, tenant: found, expiresIn, accessToken, refreshToken } = answer.body.data;
        expect(user).to.include({ id: tenant.userId, email: tenant.email });
        expect(found.id).to.equal(tenant.tenantId);
        expect(expiresIn).to.equal(900);
        expect(refreshToken).not.to.equal(tenant.refreshToken);
        expect(sessionOf(refreshToken)).to.equal(sessionOf(tenant.refreshToken));
        expect((await me(accessToken)).status).to.equal(200);
        expect(answer.text).not.to.include('passwordHash');
        expect(cookiesOf(answer).access?.value).to.equal(accessToken);
        expect(cookiesOf(answer).refresh?.value).to.equal(refreshToken);
    });

    it('goes on with each new token, whatever the time between', async () => {
        let { refreshToken } = await newTenant(app);
        for (let n = 0; n < 3; n++) {
            await app.advance(60_000);
            const { status, body } = await refresh(refreshToken);
            expect(status).to.equal(200);
            refreshToken = body.data.refreshToken;
        }
    });

    it('prolongs the session', async () => {
        const { tenantId, refreshToken } = await newTenant(app);
        const key = tenantKey(tenantId, 'session', sessionOf(refreshToken));
        await app.redis.pexpire(key, 60_000);
        await refresh(refreshToken);
        expect(await app.redis.pttl(key)).to.be.above(604_000_000);
        expect(await app.redis.hmget(key, 'counter', 'revision')).to.equal(['1', '2']);
    });

    it('gives the same successor to 20 at once, and the session lives', async () => {
        const { tenantId, refreshToken } = await newTenant(app);
        const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(refreshToken)));
        expect(answers.map(({ status }) => status)).to.equal(Array(20).fill(200));
        const successors = new Set(answers.map(({ body }) => body.data.refreshToken));
        expect(successors.size).to.equal(1);
        for (const { body } of answers) expect((await me(body.data.accessToken)).status).to.equal(200);
        expect((await refresh([...successors][0])).status).to.equal(200);
        const steps = (await readAudit(app, tenantId)).filter(({ action }) => action === 'auth.refresh');
        expect(steps.map(({ result }) => result)).to.equal(['success', 'success']);
    });

    it('gives the successor again within 30 s', async () => {
        const { refreshToken } = await newTenant(app);
        const first = await refresh(refreshToken);
        await app.advance(29_000);
        const again = await refresh(refreshToken);
        expect(again.body.data.refreshToken).to.equal(first.body.data.refreshToken);
    });

    it('ends the session when a used token comes later', async () => {
        const { tenantId, userId, refreshToken } = await newTenant(app);
        const { accessToken, refreshToken: successor } = (await refresh(refreshToken)).body.data;
        await app.advance(31_000);
        expect((await me(accessToken)).status).to.equal(200);
        const headers = { 'x-request-id': 'reused-token' };
        expectError(await app.call('POST', ROUTE, { payload: { refreshToken }, headers }), 'REFRESH_REUSED');
        expectError(await me(accessToken), 'SESSION_ENDED');
        expectError(await refresh(successor), 'SESSION_ENDED');
        expectError(await refresh(refreshToken), 'SESSION_ENDED');
        expect(await app.redis.zcard(tenantKey(tenantId, 'user', userId, 'sessions'))).to.equal(0);
        const [reused, ...refused] = (await readAudit(app, tenantId)).slice(-3);
        expect(reused).to.include({
            userId,
            action: 'auth.refresh',
            resource: 'session',
            resourceId: sessionOf(refreshToken),
            result: 'REFRESH_REUSED',
            correlationId: 'reused-token',
        });
        expect(refused.map(({ result }) => result)).to.equal(['SESSION_ENDED', 'SESSION_ENDED']);
        const events = await app.redis.xrange(tenantKey(tenantId, 'events'), '-', '+');
        expect(events.at(-1)?.[1].slice(0, 2)).to.equal(['type', 'auth.session_ended']);
    });

    it('ends the session for a token two steps old, within 30 s as well', async () => {
        const { refreshToken } = await newTenant(app);
        const second = (await refresh(refreshToken)).body.data.refreshToken;
        const third = (await refresh(second)).body.data;
        expectError(await refresh(refreshToken), 'REFRESH_REUSED');
        expectError(await me(third.accessToken), 'SESSION_ENDED');
    });

    it('tells the audit why it is refused, unless the user or the tenant is gone', async () => {
        const { tenantId, userId, refreshToken } = await newTenant(app);
        const [tenant, user] = [tenantKey(tenantId, 'info'), tenantKey(tenantId, 'user', userId)];
        const refusals = async () =>
            (await readAudit(app, tenantId))
                .filter(({ action }) => action === 'auth.refresh')
                .map(({ result }) => result);
        await app.redis.hset(tenant, 'status', 'suspended');
        expectError(await refresh(refreshToken), 'TENANT_SUSPENDED');
        await app.redis.hset(tenant, 'status', 'active');
        await app.redis.hset(user, 'isActive', '0');
        expectError(await refresh(refreshToken), 'USER_DISABLED');
        expect(await refusals()).to.equal(['TENANT_SUSPENDED', 'USER_DISABLED']);
        await app.redis.del(user);
        expectError(await refresh(refreshToken), 'USER_DISABLED');
        await app.redis.del(tenant);
        expectError(await refresh(refreshToken), 'TENANT_SUSPENDED');
        expect(await refusals()).to.have.length(2);
    });

    it('leaves the other sessions of the user alone', async () => {
        const { email, password, refreshToken } = await newTenant(app);
        const other = (await app.call('POST', '/api/login', { payload: { email, password } })).body.data;
        await refresh(refreshToken);
        await app.advance(31_000);
        expectError(await refresh(refreshToken), 'REFRESH_REUSED');
        expect((await me(other.accessToken)).status).to.equal(200);
        expect((await refresh(other.refreshToken)).status).to.equal(200);
    });

    it('refuses altered tokens', async () => {
        const [one, other] = [await newTenant(app), await newTenant(app)];
        const parts = one.refreshToken.split('.');
        const altered = (at: number, value: string) => parts.with(at, value).join('.');
        const tokens = [
            altered(0, 'rt2'),
            altered(1, 'other'),
            altered(2, other.tenantId),
            altered(3, other.userId),
            altered(4, sessionOf(other.refreshToken)),
            altered(5, '1'),
            altered(6, 'A'.repeat(43)),
            one.refreshToken.slice(0, -1),
            `${one.refreshToken}x`,
            'nonsense',
        ];
        for (const token of tokens) expectError(await refresh(token), 'REFRESH_INVALID');
        expect((await refresh(one.refreshToken)).status).to.equal(200);
    });

    it('refuses a refresh token as an access token', async () => {
        const { refreshToken } = await newTenant(app);
        expectError(await me(refreshToken), 'UNAUTHENTICATED');
    });

    it('refuses when there is no token at all', async () => {
        expectError(await app.call('POST', ROUTE, { payload: {} }), 'REFRESH_INVALID');
        expectError(await app.call('POST', ROUTE), 'REFRESH_INVALID');
    });

    it('refuses a session that has expired', async () => {
        const { tenantId, refreshToken, accessToken } = await newTenant(app);
        await app.redis.pexpire(tenantKey(tenantId, 'session', sessionOf(refreshToken)), 0);
        expectError(await refresh(refreshToken), 'SESSION_ENDED');
        expectError(await me(accessToken), 'SESSION_ENDED');
    });

    it('lets a session expire by itself after its lifetime', async () => {
        const short = await startApp({ config: { REFRESH_TOKEN_TTL: 300 } });
        const { tenantId, refreshToken } = await newTenant(short);
        const lifetime = await short.redis.pttl(tenantKey(tenantId, 'session', sessionOf(refreshToken)));
        await short.stop();
        expect(lifetime).to.be.within(240_000, 300_000);
    });

    it('refuses a suspended tenant and a disabled user, and lets the session live', async () => {
        const { tenantId, userId, refreshToken } = await newTenant(app);
        await app.redis.hset(tenantKey(tenantId, 'info'), 'status', 'suspended');
        expectError(await refresh(refreshToken), 'TENANT_SUSPENDED');
        await app.redis.hset(tenantKey(tenantId, 'info'), 'status', 'active');
        await setUserField(app, tenantId, userId, 'isActive', '0');
        expectError(await refresh(refreshToken), 'USER_DISABLED');
        await setUserField(app, tenantId, userId, 'isActive', '1');
        expect((await refresh(refreshToken)).status).to.equal(200);
    });

    it('refuses fields it does not know and values of the wrong type', async () => {
        const { refreshToken } = await newTenant(app);
        expectFaults(await app.call('POST', ROUTE, { payload: { refreshToken, more: 1 } }), ['more']);
        expectFaults(await app.call('POST', ROUTE, { payload: { refreshToken: 7 } }), ['refreshToken']);
        expectFaults(await app.call('POST', ROUTE, { payload: { refreshToken: 'x'.repeat(513) } }), ['refreshToken']);
    });

    it('takes 60 requests a minute from one address', () =>
        app.inNoTime(async () => {
            const from = randomAddress();
            const all = await Promise.all(
                Array.from({ length: 60 }, () => app.call('POST', ROUTE, { payload: {}, from })),
            );
            expect(new Set(all.map(({ status }) => status))).to.equal(new Set([401]));
            expect(all[0]?.headers['x-ratelimit-limit']).to.equal('60');
            expectError(await app.call('POST', ROUTE, { payload: {}, from }), 'RATE_LIMITED');
        }));
});

describe('POST /api/auth/refresh by cookie', () => {
    let app: TestApp;
    const byCookie = (refresh: string, headers: Record<string, string>) =>
        app.call('POST', ROUTE, { headers: { ...asCookies({ refresh }), ...headers } });

    before(async () => {
        app = await startApp();
    });

    after(() => app.stop());

    it('takes the cookie from a page of the same origin', async () => {
        const { refreshToken } = await newTenant(app);
        const first = await app.call('POST', ROUTE, { headers: sameOrigin({ refresh: refreshToken }) });
        expect(first.status).to.equal(200);
        const successor = first.body.data.refreshToken;
        const byOrigin = { host: 'api.example', origin: 'https://api.example' };
        expect((await byCookie(successor, byOrigin)).status).to.equal(200);
    });

    for (const [what, headers] of [
        ['without a word on its origin', {}],
        ['of another site', { 'sec-fetch-site': 'cross-site' }],
        ['of a sister site', { 'sec-fetch-site': 'same-site' }],
        [
            'that claims the origin, but whose browser says otherwise',
            { 'sec-fetch-site': 'cross-site', origin: 'https://api.example' },
        ],
        ['of another origin', { origin: 'https://evil.example' }],
        ['of another port', { origin: 'https://api.example:8443' }],
        ['of an opaque origin', { origin: 'null' }],
    ] as const) {
        it(`rejects a request ${what}, and uses nothing up`, async () => {
            const { refreshToken } = await newTenant(app);
            expectError(await byCookie(refreshToken, { host: 'api.example', ...headers }), 'CSRF_REJECTED');
            const key = tenantKey(refreshToken.split('.')[2] ?? '', 'session', sessionOf(refreshToken));
            expect(await app.redis.hget(key, 'counter')).to.equal('0');
        });
    }

    it('prefers the token of the body, which needs no origin', async () => {
        const [one, other] = [await newTenant(app), await newTenant(app)];
        const answer = await app.call('POST', ROUTE, {
            payload: { refreshToken: one.refreshToken },
            headers: asCookies({ refresh: other.refreshToken }),
        });
        expect(answer.body.data.tenant.id).to.equal(one.tenantId);
    });

    it('refuses an altered cookie', async () => {
        const { refreshToken } = await newTenant(app);
        expectError(await byCookie(`${refreshToken}x`, { 'sec-fetch-site': 'same-origin' }), 'REFRESH_INVALID');
    });
});
