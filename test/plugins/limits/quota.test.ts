import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { defaultTiers } from '../../../plugins/tenants/api.ts';
import { quotaMonth } from '../../../src/quota-month.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { newKey } from '../../helpers/api-key.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { setLimits, setPlan } from '../../helpers/limits.ts';
import { newTenant } from '../../helpers/tenant.ts';
import { newTunnel, portOf } from '../../helpers/tunnel.ts';
import { newUser } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const ROUTE = '/api/auth/me';

describe('the quota of requests a month', () => {
    let app: TestApp;

    before(async () => {
        app = await startApp();
    });

    after(() => app.stop());

    const quotaKey = (tenantId: string, at = Date.now()) => tenantKey(tenantId, 'quota', quotaMonth(at).name);
    const counted = async (tenantId: string) => Number(await app.redis.hget(quotaKey(tenantId), 'requests'));

    it('admits exactly as many of 200 at once as it says, on two servers, with tokens and keys', async () => {
        const other = await startApp({ config: { JWT_KEYS: app.config.JWT_KEYS } });
        const tenant = await newTenant(app);
        await setPlan(app, tenant.tenantId, 'enterprise');
        const { secret } = await newKey(tenant);
        const used = await counted(tenant.tenantId);
        await setLimits(app, tenant.tenantId, { requestsPerMonth: used + 37 });
        // As many as the route itself lets through for one user, so that only the quota refuses.
        const uses = Array.from({ length: 200 }, (_, n) => {
            const token = n % 4 === 0 ? secret : tenant.accessToken;
            return (n % 2 === 0 ? app : other).call('GET', n % 4 === 0 ? '/api/threads' : ROUTE, { token });
        });
        const answers = await Promise.all(uses);
        expect(answers.filter(({ status }) => status === 200)).to.have.length(37);
        for (const answer of answers) if (answer.status !== 200) expectError(answer, 'QUOTA_EXCEEDED');
        expect(await counted(tenant.tenantId)).to.equal(used + 37);
        await other.stop();
    });

    it('says which quota it is and when it is there again', async () => {
        const tenant = await newTenant(app);
        await setLimits(app, tenant.tenantId, { requestsPerMonth: 1 });
        expect((await tenant.call('GET', ROUTE)).status).to.equal(200);
        const refused = await tenant.call('GET', ROUTE);
        const { details } = expectError(refused, 'QUOTA_EXCEEDED');
        const resetsAt = quotaMonth(Date.now()).endsAt;
        expect(details).to.equal({
            quota: 'requestsPerMonth',
            used: 1,
            limit: 1,
            resetsAt: new Date(resetsAt).toISOString(),
        });
        const wait = Number(refused.headers['retry-after']) * 1000;
        expect(wait).to.be.between(resetsAt - Date.now() - 10_000, resetsAt - Date.now() + 10_000);
    });

    it('spends nothing of the user’s rate when it refuses', async () => {
        const tenant = await newTenant(app);
        await setLimits(app, tenant.tenantId, { requestsPerMonth: 0 });
        for (let tries = 0; tries < 3; tries++) expectError(await tenant.call('GET', ROUTE), 'QUOTA_EXCEEDED');
        expect(await app.redis.exists(tenantKey(tenant.tenantId, 'rate', 'user', tenant.userId))).to.equal(0);
    });

    it('is not spent by a request over the user’s rate', async () => {
        const tenant = await newTenant(app);
        await setLimits(app, tenant.tenantId, { requestsPerMinute: 2 });
        const answers = [];
        for (let tries = 0; tries < 5; tries++) answers.push(await tenant.call('GET', ROUTE));
        const admitted = answers.filter(({ status }) => status === 200).length;
        expect(admitted).to.be.below(5);
        expect(await counted(tenant.tenantId)).to.equal(admitted);
    });

    it('is the tenant’s, whoever of its users asks, and of the plan, not of a user’s tier', async () => {
        const tenant = await newTenant(app);
        const colleague = await newUser(app, tenant.tenantId, 'user');
        await app.redis.hset(tenantKey(tenant.tenantId, 'user', colleague.userId), 'tier', 'enterprise');
        await app.redis.hset(quotaKey(tenant.tenantId), 'requests', 9_999);
        expect((await tenant.call('GET', ROUTE)).status).to.equal(200);
        expectError(await colleague.call('GET', ROUTE), 'QUOTA_EXCEEDED');
    });

    it('has no end on the largest plan, and none that was lifted for a tenant', async () => {
        for (const lift of [
            (id: string) => setPlan(app, id, 'enterprise'),
            (id: string) => setLimits(app, id, { requestsPerMonth: null }),
        ]) {
            const tenant = await newTenant(app);
            await app.redis.hset(quotaKey(tenant.tenantId), 'requests', 5_000_000);
            expectError(await tenant.call('GET', ROUTE), 'QUOTA_EXCEEDED');
            await lift(tenant.tenantId);
            expect((await tenant.call('GET', ROUTE)).status).to.equal(200);
        }
    });

    it('is there again in the next month', async () => {
        const own = await startApp({ config: { ACCESS_TOKEN_TTL: 86_400 * 40 } });
        const tenant = await newTenant(own);
        await setLimits(own, tenant.tenantId, { requestsPerMonth: 1 });
        expect((await tenant.call('GET', ROUTE)).status).to.equal(200);
        expectError(await tenant.call('GET', ROUTE), 'QUOTA_EXCEEDED');
        await own.advance(quotaMonth(Date.now()).endsAt - Date.now() + 1_000);
        expect((await tenant.call('GET', ROUTE)).status).to.equal(200);
        await own.stop();
    });

    describe('and the routes that do not count against it', () => {
        const FREE = ['/api/profile/usage', '/api/tiers'];

        it('are answered when it is used up, and tell so', async () => {
            const tenant = await newTenant(app);
            await setLimits(app, tenant.tenantId, { requestsPerMonth: 1 });
            expect((await tenant.call('GET', ROUTE)).status).to.equal(200);
            expectError(await tenant.call('GET', ROUTE), 'QUOTA_EXCEEDED');
            for (const path of FREE) expect((await tenant.call('GET', path)).status, path).to.equal(200);
            const { body } = await tenant.call('GET', '/api/profile/usage');
            expect(body.data.usage.requestsThisMonth).to.include({ used: 1, limit: 1 });
            expect(await counted(tenant.tenantId)).to.equal(1);
        });

        it('take nothing of it', async () => {
            const tenant = await newTenant(app);
            for (const path of FREE) await tenant.call('GET', path);
            expect(await app.redis.exists(quotaKey(tenant.tenantId))).to.equal(0);
        });

        it('keep to the rates', () =>
            app.inNoTime(async () => {
                const tenant = await newTenant(app);
                await setLimits(app, tenant.tenantId, { requestsPerMinute: 2, requestsPerMonth: 0 });
                const answers = await Promise.all(Array.from({ length: 5 }, () => tenant.call('GET', '/api/tiers')));
                expect(answers[0]?.headers['x-ratelimit-limit']).to.equal('2');
                const refused = answers.filter(({ status }) => status !== 200);
                expect(refused).to.not.be.empty();
                for (const answer of refused) expectError(answer, 'RATE_LIMITED');
            }));

        it('are so for an API key too', async () => {
            const own = await startApp();
            own.server.route({
                method: 'GET',
                path: '/api/test/free',
                options: { app: { status: 200, isQuotaFree: true }, auth: { access: { scope: 'thread:read' } } },
                handler: () => ({ done: true }),
            });
            const tenant = await newTenant(own);
            const { secret: token } = await newKey(tenant);
            const used = await counted(tenant.tenantId);
            await setLimits(own, tenant.tenantId, { requestsPerMonth: used });
            expectError(await own.call('GET', '/api/threads', { token }), 'QUOTA_EXCEEDED');
            expect((await own.call('GET', '/api/test/free', { token })).status).to.equal(200);
            expect(await counted(tenant.tenantId)).to.equal(used);
            await own.stop();
        });
    });

    it('is kept for a good year, not for ever', async () => {
        const tenant = await newTenant(app);
        await tenant.call('GET', ROUTE);
        expect(await app.redis.ttl(quotaKey(tenant.tenantId))).to.be.between(366 * 86_400, 401 * 86_400);
    });
});

describe('GET /api/profile/usage', () => {
    it('tells what is used of the quota and of the slots, and every limit', async () => {
        const app = await startApp();
        const tenant = await newTenant(app);
        await setLimits(app, tenant.tenantId, { requestsPerMonth: 500, vms: 7 });
        await tenant.call('GET', ROUTE);
        const { body } = await tenant.call('GET', '/api/profile/usage');
        const { requestsThisMonth, generations, tier, limits } = body.data.usage;
        const resetsAt = new Date(quotaMonth(Date.now()).endsAt).toISOString();
        expect(requestsThisMonth).to.equal({ used: 1, limit: 500, resetsAt });
        expect(generations).to.equal({ running: 0, limit: 3 });
        expect(tier).to.equal('free');
        const none = { used: 0, limit: defaultTiers.free.relayedBytesPerMonth, resetsAt };
        expect(body.data.usage.relayedBytesThisMonth).to.equal(none);
        expect(limits).to.include({ requestsPerMinute: 100, requestsPerMonth: 500, vms: 7, projects: 10 });
        const place = { tenantId: tenant.tenantId, tunnelId: await newTunnel(tenant) };
        await setLimits(app, tenant.tenantId, { relayedBytesPerMonth: 9_000 });
        portOf(app).count(place, { outcome: 'success', latencyMs: 1, bytesIn: 30, bytesOut: 4_000 });
        await portOf(app).flush();
        const after = await tenant.call('GET', '/api/profile/usage');
        expect(after.body.data.usage.relayedBytesThisMonth).to.equal({ used: 4_030, limit: 9_000, resetsAt });
        await app.stop();
    });
});

describe('GET /api/tiers', () => {
    it('shows the table, and one’s own place in it with the tenant’s figures', async () => {
        const app = await startApp();
        const tenant = await newTenant(app);
        await setPlan(app, tenant.tenantId, 'premium');
        await setLimits(app, tenant.tenantId, { tunnels: 60 });
        const { body } = await tenant.call('GET', '/api/tiers');
        const { tiers, own } = body.data;
        expect(tiers.map(({ name }: { name: string }) => name)).to.equal(['free', 'premium', 'enterprise']);
        expect(tiers[0].limits).to.include({ requestsPerMinute: 100, requestsPerMonth: 10_000, tunnels: 3 });
        expect(tiers[2].limits).to.include({ requestsPerMinute: 2_000, requestsPerMonth: null, tunnels: null });
        expect([own.tier, own.plan]).to.equal(['premium', 'premium']);
        expect(own.limits).to.equal({ ...tiers[1].limits, tunnels: 60 });
        await app.stop();
    });
});
