import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { randomAddress, startApp, startReplicas, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newUser, setUserField } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const ROUTE = '/api/auth/sessions';
const NOBODYS = 'sess_00000000000000000000000000';

describe('a user’s sessions', () => {
    let app: TestApp;
    /** Another replica on the same Redis. */
    let other: TestApp;

    before(async () => {
        [app, other] = await startReplicas();
    });

    after(async () => {
        await app.stop();
        await other.stop();
    });

    const login = async ({ email, password }: TestTenant, options: object = {}): Promise<string> =>
        (await app.call('POST', '/api/login', { payload: { email, password }, ...options })).body.data.accessToken;
    const list = async (token: string) => (await app.call('GET', ROUTE, { token })).body.data.sessions;
    const me = (token: string) => other.call('GET', '/api/auth/me', { token });
    const idOf = (token: string): string =>
        JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).sid;

    describe(`GET ${ROUTE}`, () => {
        it('shows where each came from, and which one asks', async () => {
            const tenant = await newTenant(app);
            const from = randomAddress();
            const token = await login(tenant, { from, headers: { 'user-agent': 'a browser' } });
            const sessions = await list(token);
            expect(sessions).to.have.length(2);
            const own = sessions.find(({ id }: { id: string }) => id === idOf(token));
            expect(own).to.include({ ipAddress: from, userAgent: 'a browser', current: true });
            const first = sessions.find(({ id }: { id: string }) => id === idOf(tenant.accessToken));
            expect(first).to.include({ current: false });
            expect(Object.keys(own).toSorted()).to.equal([
                'createdAt',
                'current',
                'expiresAt',
                'id',
                'ipAddress',
                'lastSeenAt',
                'userAgent',
            ]);
            expect(Date.parse(own.expiresAt) - Date.parse(own.createdAt)).to.be.about(604_800_000, 5_000);
        });

        it('shows nobody else’s, not even of the same tenant', async () => {
            const tenant = await newTenant(app);
            const user = await newUser(app, tenant.tenantId, 'user');
            expect((await list(user.accessToken)).map(({ id }: { id: string }) => id)).to.equal([
                idOf(user.accessToken),
            ]);
        });

        it('tells when each was seen last, to the minute', async () => {
            const alone = await startApp();
            const { call } = await newTenant(alone);
            const seen = async () => Date.parse((await call('GET', ROUTE)).body.data.sessions[0].lastSeenAt);
            const first = await seen();
            await alone.advance(50_000);
            expect(await seen()).to.equal(first);
            await alone.advance(20_000);
            expect(await seen()).to.be.about(first + 70_000, 10_000);
            await alone.stop();
        });

        it('leaves out sessions that have ended, by whatever way', async () => {
            const tenant = await newTenant(app);
            const token = await login(tenant);
            await app.call('POST', '/api/logout', { token: tenant.accessToken });
            expect(await list(token)).to.have.length(1);
            await setUserField(app, tenant.tenantId, tenant.userId, 'epoch', String(Date.now() + 3_600_000));
            expectError(await app.call('GET', ROUTE, { token }), 'SESSION_ENDED');
        });
    });

    describe(`DELETE ${ROUTE}/{sessionId}`, () => {
        it('ends a session on every replica at once, and its refresh token', async () => {
            const tenant = await newTenant(app);
            const token = await login(tenant);
            expect((await me(tenant.accessToken)).status).to.equal(200);
            const { status, body } = await app.call('DELETE', `${ROUTE}/${idOf(tenant.accessToken)}`, { token });
            expect([status, body.data.endedSessions]).to.equal([200, 1]);
            expectError(await me(tenant.accessToken), 'SESSION_ENDED');
            const payload = { refreshToken: tenant.refreshToken };
            expectError(await other.call('POST', '/api/auth/refresh', { payload }), 'SESSION_ENDED');
            expect((await me(token)).status).to.equal(200);
            const entry = (await readAudit(app, tenant.tenantId)).at(-2);
            expect(entry).to.include({
                action: 'auth.session_end',
                resourceId: idOf(tenant.accessToken),
                userId: tenant.userId,
                result: 'success',
            });
            const [[, event] = []] = await app.redis.xrevrange(
                tenantKey(tenant.tenantId, 'events'),
                '+',
                '-',
                'COUNT',
                1,
            );
            expect(event).to.include(['auth.session_ended']);
        });

        it('ends the one that asks', async () => {
            const { accessToken, call } = await newTenant(app);
            expect((await call('DELETE', `${ROUTE}/${idOf(accessToken)}`)).status).to.equal(200);
            expectError(await me(accessToken), 'SESSION_ENDED');
        });

        it('knows neither another user’s nor an unknown one, and leaves them alone', async () => {
            const tenant = await newTenant(app);
            const user = await newUser(app, tenant.tenantId, 'user');
            const stranger = await newTenant(app);
            const ids = [idOf(user.accessToken), idOf(stranger.accessToken), NOBODYS];
            for (const id of ids) expectError(await tenant.call('DELETE', `${ROUTE}/${id}`), 'SESSION_NOT_FOUND');
            expect((await me(user.accessToken)).status).to.equal(200);
            expect((await me(stranger.accessToken)).status).to.equal(200);
        });

        it('is told once by many who end it at once', async () => {
            const tenant = await newTenant(app);
            const token = await login(tenant);
            const url = `${ROUTE}/${idOf(tenant.accessToken)}`;
            const answers = await Promise.all(
                Array.from({ length: 20 }, (_, n) => (n % 2 ? app : other).call('DELETE', url, { token })),
            );
            expect(answers.filter(({ status }) => status === 200)).to.have.length(1);
            expect(answers.filter(({ status }) => status === 404)).to.have.length(19);
        });

        it('takes the id of a session only', async () => {
            const { call } = await newTenant(app);
            expectFaults(await call('DELETE', `${ROUTE}/thread_00000000000000000000000000`), ['sessionId']);
        });
    });

    describe(`DELETE ${ROUTE}`, () => {
        it('ends all others and tells how many', async () => {
            const tenant = await newTenant(app);
            const user = await newUser(app, tenant.tenantId, 'user');
            const tokens = [await login(tenant), await login(tenant), await login(tenant)];
            const { body } = await tenant.call('DELETE', ROUTE);
            expect(body.data).to.equal({ endedSessions: 3 });
            for (const token of tokens) expectError(await me(token), 'SESSION_ENDED');
            expect((await me(tenant.accessToken)).status).to.equal(200);
            expect((await me(user.accessToken)).status).to.equal(200);
            const ended = (await readAudit(app, tenant.tenantId)).filter(({ action }) => action === 'auth.session_end');
            expect(new Set(ended.map(({ resourceId }) => resourceId))).to.equal(new Set(tokens.map(idOf)));
            expect((await tenant.call('DELETE', ROUTE)).body.data).to.equal({ endedSessions: 0 });
        });
    });
});
