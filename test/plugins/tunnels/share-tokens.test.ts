import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { quotaMonth } from '../../../src/quota-month.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { startApp, startReplicas, type Answer, type CallOptions, type TestApp } from '../../helpers/app.ts';
import { countCommands } from '../../helpers/count-commands.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { startRedis } from '../../helpers/redis.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newShare, newTunnel, portOf } from '../../helpers/tunnel.ts';
import { setUserField } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

let app: TestApp;
let other: TestApp;
let ada: TestTenant;
let id: string;

before(async () => {
    [app, other] = await startReplicas();
});

beforeEach(async () => {
    ada = await newTenant(app);
    id = await newTunnel(ada);
});

after(() => Promise.all([app.stop(), other.stop()]));

const traffic = (tunnelId = id) => `/api/tunnels/${tunnelId}/http/api/tags`;
const call = (token: string, options: CallOptions = {}, tunnelId = id): Promise<Answer> =>
    app.call('GET', traffic(tunnelId), { ...options, token });
/** Nobody holds a link: it was let through if that is what it is told. */
const expectOpen = (answer: Answer) => expectError(answer, 'TUNNEL_OFFLINE');
const sharesOf = async () => (await ada.call('GET', `/api/tunnels/${id}/shares`)).body.data.shares;
const activityOf = async () => (await ada.call('GET', `/api/tunnels/${id}/activity`)).body.data.entries;
const requestsOf = async () => {
    const key = tenantKey(ada.tenantId, 'quota', quotaMonth(Date.now()).name);
    return Number(await app.redis.hget(key, 'requests'));
};

describe('the token of a share', () => {
    it('opens the traffic of its tunnel, from either header and with any method', async () => {
        const { token } = await newShare(ada, id);
        expect(token).to.match(/^share_[0-9A-Z]{52}_[\w-]{43}$/);
        expectOpen(await call(token));
        expectOpen(await app.call('GET', traffic(), { headers: { 'x-api-key': token } }));
        expectOpen(await app.call('POST', traffic(), { token, payload: { model: 'llama3' } }));
        expectOpen(await app.call('GET', traffic().replace('/api/', '/api/v1/'), { token }));
    });

    it('is nobody’s on every other route', async () => {
        const { token } = await newShare(ada, id);
        for (const path of [`/api/tunnels/${id}`, `/api/tunnels/${id}/status`, '/api/auth/me', '/api/threads']) {
            expectError(await app.call('GET', path, { token }), 'UNAUTHENTICATED');
            expectError(await app.call('GET', path, { headers: { 'x-api-key': token } }), 'KEY_INVALID');
        }
        expectError(await app.call('DELETE', `/api/tunnels/${id}`, { token }), 'UNAUTHENTICATED');
        expect((await sharesOf())[0].uses).to.equal(0);
    });

    it('opens no other tunnel, and an altered one opens none', async () => {
        const { token } = await newShare(ada, id);
        const another = await newTunnel(ada, 'another');
        const foreign = await newTunnel(await newTenant(app));
        for (const tunnelId of [another, foreign, 'tun_00000000000000000000000000', 'x']) {
            expectError(await call(token, {}, tunnelId), 'UNAUTHENTICATED');
        }
        const altered = `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`;
        const ofTunnel = token.replace('share_', 'tun_');
        for (const text of ['share_', altered, ofTunnel]) expectError(await call(text), 'UNAUTHENTICATED');
        expect((await sharesOf())[0].uses).to.equal(0);
        expectOpen(await call(token));
    });

    it('opens as often as it may, also at once and on two replicas', async () => {
        const { id: shareId, token } = await newShare(ada, id, { maxUses: 3 });
        const asked = Array.from({ length: 12 }, (_, n) =>
            (n % 2 === 0 ? app : other).call('GET', traffic(), { token }),
        );
        const answers = await Promise.all(asked);
        expect(answers.filter(({ status }) => status === 503)).to.have.length(3);
        expect(answers.filter(({ status }) => status === 401)).to.have.length(9);
        const [stored] = await sharesOf();
        expect(stored).to.include({ type: 'token', uses: 3, maxUses: 3, userId: null });
        expect(stored.lastUsedAt).to.be.a.string();
        await Promise.all([portOf(app).flush(), portOf(other).flush()]);
        const used = (await activityOf()).filter(({ type }: { type: string }) => type === 'share_used');
        const counts: string[] = used.map(({ details }: { details: { count: string } }) => details.count);
        expect(counts.reduce((sum, count) => sum + Number(count), 0)).to.equal(3);
        expect(used[0].details.shareId).to.equal(shareId);
        expect((await sharesOf())[0].uses).to.equal(3);
    });

    it('opens nothing after 24 hours, nor once it is taken back or the tunnel deleted', async () => {
        const own = await startApp();
        const tenant = await newTenant(own);
        const tunnelId = await newTunnel(tenant);
        const { token } = await newShare(tenant, tunnelId);
        const ask = () => own.call('GET', traffic(tunnelId), { token });
        await own.advance(86_400_000 - 60_000);
        expectOpen(await ask());
        await own.advance(60_001);
        expectError(await ask(), 'UNAUTHENTICATED');
        await own.stop();

        const taken = await newShare(ada, id);
        await ada.call('DELETE', `/api/tunnels/${id}/shares/${taken.id}`);
        expectError(await call(taken.token), 'UNAUTHENTICATED');
        const left = await newShare(ada, id);
        await ada.call('DELETE', `/api/tunnels/${id}`);
        expectError(await call(left.token), 'UNAUTHENTICATED');
    });

    it('counts against the owner’s rate and the tenant’s quota, as the owner’s own calls', async () => {
        const { token } = await newShare(ada, id);
        const before = await requestsOf();
        const own = await ada.call('GET', traffic());
        const shared = await call(token);
        expect(await requestsOf()).to.equal(before + 2);
        expect(shared.headers['x-ratelimit-limit']).to.equal(own.headers['x-ratelimit-limit']);
        const leftAfter = ({ headers }: Answer) => Number(headers['x-ratelimit-remaining']);
        expect(leftAfter(shared)).to.be.below(leftAfter(own));
    });

    it('spends no use when the rate or the quota refuses it', () =>
        app.inNoTime(async () => {
            const { token } = await newShare(ada, id, { maxUses: 5 });
            await app.redis.hset(tenantKey(ada.tenantId, 'info'), 'limits', '{"requestsPerMonth":0}');
            expectError(await call(token), 'QUOTA_EXCEEDED');
            await app.redis.hset(tenantKey(ada.tenantId, 'info'), 'limits', '{"requestsPerMinute":2}');
            const answers = [await call(token), await call(token), await call(token)];
            expect(answers.map(({ status }) => status)).to.include(429);
            await app.redis.hdel(tenantKey(ada.tenantId, 'info'), 'limits');
            const passed = answers.filter(({ status }) => status === 503).length;
            expect(passed).to.be.below(3);
            expect((await sharesOf())[0].uses).to.equal(passed);
        }));

    it('opens nothing while the owner is disabled or the tenant suspended', async () => {
        const { token } = await newShare(ada, id);
        await setUserField(app, ada.tenantId, ada.userId, 'isActive', '0');
        expectError(await call(token), 'USER_DISABLED');
        await setUserField(app, ada.tenantId, ada.userId, 'isActive', '1');
        await app.redis.hset(tenantKey(ada.tenantId, 'info'), 'status', 'suspended');
        expectError(await call(token), 'TENANT_SUSPENDED');
        await app.redis.hset(tenantKey(ada.tenantId, 'info'), 'status', 'active');
        expectOpen(await call(token));
    });

    it('is refused for another tenant than its own', async () => {
        const { token } = await newShare(ada, id);
        const { tenantId } = await newTenant(app);
        expectError(await call(token, { headers: { 'x-tenant-id': tenantId } }), 'TENANT_MISMATCH');
        expectOpen(await call(token, { headers: { 'x-tenant-id': ada.tenantId } }));
    });

    it('is not to be guessed: an address may try so many', () =>
        app.inNoTime(async () => {
            const { token } = await newShare(ada, id);
            const guess = `${token.slice(0, -43)}${'x'.repeat(43)}`;
            const from = '203.0.113.77';
            const answers = await Promise.all(Array.from({ length: 130 }, () => call(guess, { from })));
            const codes = answers.map(({ body }) => body.error.code as string);
            expect(codes.filter((code) => code === 'UNAUTHENTICATED').length).to.equal(100);
            expect(codes).to.include('RATE_LIMITED');
            expectOpen(await call(token));
        }));

    it('is judged and used by one script', async () => {
        const redis = await startRedis();
        const own = await startApp({ redisPath: redis.path });
        const tenant = await newTenant(own);
        const tunnelId = await newTunnel(tenant);
        const { token } = await newShare(tenant, tunnelId, { maxUses: 2 });
        const ask = () => own.call('GET', traffic(tunnelId), { token });
        await ask();
        await ask();
        // Used up: what it takes to be told so is the same script, and the guess that is counted.
        const commands = await countCommands(own.redis, ask);
        expect(commands.filter((name) => name.startsWith('eval'))).to.have.length(2);
        await own.stop();
        await redis.stop();
    });

    it('is in no line of the log', async () => {
        const { token } = await newShare(ada, id);
        await call(token);
        await app.call('GET', traffic(), { headers: { 'x-api-key': token } });
        await app.call('GET', '/api/threads', { token });
        const text = JSON.stringify(app.logs);
        expect(text).to.include(id);
        expect(text).to.not.include(token.slice(-43));
    });
});
