import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { newKey } from '../../helpers/api-key.ts';
import { randomAddress, startApp, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { setLimits } from '../../helpers/limits.ts';
import { startRedis } from '../../helpers/redis.ts';
import { newTenant, platformToken } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const PATH = '/api/admin/rate-limits/violations';
const NONE = { user: 0, route: 0, key: 0, address: 0, quota: 0, concurrency: 0 };

describe('GET /api/admin/rate-limits/violations', () => {
    let app: TestApp;
    let token: string;

    before(async () => {
        app = await startApp();
        token = await platformToken(app);
    });

    after(() => app.stop());

    const violations = async (tenantId: string) =>
        (await app.call('GET', `${PATH}?tenantId=${tenantId}`, { token })).body.data.violations;

    it('shows each refusal by day and kind, and who was refused', () =>
        app.inNoTime(async () => {
            const { tenantId, userId, call } = await newTenant(app);
            const { id: keyId, secret } = await newKey({ call }, { requestsPerMinute: 1 });
            await app.call('GET', '/api/threads', { token: secret });
            expectError(await app.call('GET', '/api/threads', { token: secret }), 'RATE_LIMITED');
            await setLimits(app, tenantId, { requestsPerMonth: 0, concurrentGenerations: 0 });
            expectError(await call('GET', '/api/auth/me'), 'QUOTA_EXCEEDED');
            await setLimits(app, tenantId, { concurrentGenerations: 0 });
            const thread = 'thread_01K9ZQ4V7N8M3T5R2W6X1Y0ABC';
            const sent = await call('POST', `/api/threads/${thread}/models/sandbox/messages`, {
                payload: { content: 'Hi' },
            });
            expectError(sent, 'CONCURRENCY_LIMIT');

            const { days, recent, ...rest } = await violations(tenantId);
            expect(rest).to.equal({ tenantId });
            expect(days.map(({ counts }: { counts: object }) => counts)).to.equal([
                { ...NONE, key: 1, quota: 1, concurrency: 1 },
            ]);
            expect(days[0].date).to.equal(recent[0].at.slice(0, 10));
            expect(recent.map(({ at: _at, ...violation }: { at: string }) => violation)).to.equal([
                { kind: 'concurrency', userId, keyId: null, ipAddress: null, route: null },
                { kind: 'quota', userId, keyId: null, ipAddress: null, route: 'get /api/auth/me' },
                { kind: 'key', userId, keyId, ipAddress: null, route: 'get /api/threads' },
            ]);
        }));

    it('counts every one of many at once, in keys that do not grow', async () => {
        const { tenantId, call } = await newTenant(app);
        await setLimits(app, tenantId, { requestsPerMinute: 1 });
        const answers = await Promise.all(Array.from({ length: 151 }, () => call('GET', '/api/auth/me')));
        const refused = answers.filter(({ status }) => status === 429).length;
        const { days, recent } = await violations(tenantId);
        expect(days[0].counts).to.equal({ ...NONE, user: refused });
        expect(recent).to.have.length(100);
        const keys = await app.redis.keys(`tenant:{${tenantId}}:violations*`);
        expect(keys).to.have.length(2);
        for (const key of keys) expect(await app.redis.ttl(key)).to.be.between(0, 32 * 86_400);
    });

    it('shows those of IP addresses as the platform’s', async () => {
        const from = randomAddress();
        const attempt = () =>
            app.call('POST', '/api/login', { from, payload: { email: 'a@b.example', password: 'none' } });
        const answers = await Promise.all(Array.from({ length: 8 }, attempt));
        expect(answers.filter(({ status }) => status === 429).length).to.be.at.least(1);
        const { recent } = await violations('platform');
        expect(recent.filter(({ ipAddress }: { ipAddress: string }) => ipAddress === from)[0]).to.include({
            kind: 'address',
            route: 'login',
            userId: null,
        });
    });

    it('has nothing to show of a tenant without refusals, and is told in both audits', async () => {
        const { tenantId } = await newTenant(app);
        expect(await violations(tenantId)).to.equal({ tenantId, days: [], recent: [] });
        const told = (await readAudit(app, tenantId)).filter(({ action }) => action === 'limit.read');
        expect(told).to.have.length(1);
        const platform = (await readAudit(app, 'platform')).filter(({ resourceId }) => resourceId === tenantId);
        expect(platform.map(({ action }) => action)).to.equal(['limit.read']);
    });

    it('shows those of all tenants together, and who was refused most', async () => {
        const redis = await startRedis();
        const own = await startApp({ redisPath: redis.path });
        const admin = await platformToken(own);
        const [ada, bob] = [await newTenant(own), await newTenant(own)];
        for (const { tenantId } of [ada, bob]) await setLimits(own, tenantId, { requestsPerMonth: 0 });
        for (const { call } of [ada, bob, bob]) expectError(await call('GET', '/api/auth/me'), 'QUOTA_EXCEEDED');
        const from = randomAddress();
        for (let n = 0; n < 6; n++) {
            await own.call('POST', '/api/login', { from, payload: { email: 'a@b.example', password: 'none' } });
        }
        await own.server.plugins.reports.sweep();
        const { body } = await own.call('GET', PATH, { token: admin });
        const { tenantId, days, tenants, ...rest } = body.data.violations;
        expect([tenantId, rest]).to.equal([null, {}]);
        expect(days).to.equal([
            { date: new Date().toISOString().slice(0, 10), counts: { ...NONE, quota: 3, address: 1 } },
        ]);
        const named = tenants.map(({ tenantName, count, ...one }: Record<string, unknown>) => [
            one.tenantId,
            tenantName,
            count,
        ]);
        expect(named[0]).to.equal([bob.tenantId, 'Test', 2]);
        const others = [
            [ada.tenantId, 'Test', 1],
            ['platform', 'Platform', 1],
        ];
        expect(named.slice(1)).to.have.length(2).and.to.include(others);
        await own.stop();
        await redis.stop();
    });

    it('is for the platform’s roles, and for tenants that exist', async () => {
        const { tenantId, call } = await newTenant(app);
        expectError(await call('GET', `${PATH}?tenantId=${tenantId}`), 'FORBIDDEN');
        const missing = await app.call('GET', `${PATH}?tenantId=tenant_01K9ZQ4V7N8M3T5R2W6X1Y0ABC`, { token });
        expectError(missing, 'TENANT_NOT_FOUND');
        expectFaults(await app.call('GET', `${PATH}?tenantId=none`, { token }), ['tenantId']);
    });
});

describe('credentials that are none of ours', () => {
    let one: TestApp;
    let other: TestApp;

    before(async () => {
        one = await startApp();
        other = await startApp({ config: { JWT_KEYS: one.config.JWT_KEYS } });
    });

    after(() => Promise.all([one.stop(), other.stop()]));

    const guess = (app: TestApp, from: string, n: number) =>
        app.call('GET', '/api/threads', { from, token: n % 2 === 0 ? `lal_guess${n}` : `a.guessed.token${n}` });

    it('may be tried 100 times a minute from one address, on two servers alike', () =>
        one.inNoTime(() =>
            other.inNoTime(async () => {
                const from = randomAddress();
                const answers = await Promise.all(
                    Array.from({ length: 150 }, (_, n) => guess(n % 3 === 0 ? one : other, from, n)),
                );
                const refused = answers.filter(({ status }) => status === 429);
                // On a slow machine a few come back meanwhile.
                expect(refused.length).to.be.between(20, 51);
                for (const answer of refused) {
                    expectError(answer, 'RATE_LIMITED');
                    expect(Number(answer.headers['retry-after'])).to.be.at.least(1);
                }
                const tenant = await newTenant(one);
                expect((await tenant.call('GET', '/api/threads', { from })).status).to.equal(200);
                expect((await guess(one, randomAddress(), 1)).status).to.equal(401);
            }),
        ));

    it('are not counted where there is no credential, or an honest one that has expired', async () => {
        const from = randomAddress();
        const own = await startApp();
        const tenant = await newTenant(own);
        for (let n = 0; n < 3; n++) await own.call('GET', '/api/threads', { from });
        await own.advance(901_000);
        expectError(await tenant.call('GET', '/api/threads', { from }), 'TOKEN_EXPIRED');
        const key = tenantKey('platform', 'rate', 'failed-authentication', from);
        expect(await own.redis.exists(key)).to.equal(0);
        await guess(own, from, 0);
        expect(await own.redis.exists(key)).to.equal(1);
        await own.stop();
    });

    it('are counted for the client, not for the proxy that all come through', async () => {
        const [proxy, client] = [randomAddress(), randomAddress()];
        const own = await startApp({ config: { TRUSTED_PROXIES: [proxy] } });
        const headers = { 'x-forwarded-for': client };
        await own.call('GET', '/api/threads', { from: proxy, headers, token: 'a.guessed.token' });
        const counted = (address: string) =>
            own.redis.exists(tenantKey('platform', 'rate', 'failed-authentication', address));
        expect([await counted(client), await counted(proxy)]).to.equal([1, 0]);
        await own.stop();
    });
});
