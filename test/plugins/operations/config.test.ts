import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { defaultTiers } from '../../../plugins/tenants/api.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { startReplicas, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { newTenant, platformToken } from '../../helpers/tenant.ts';
import { newUser } from '../../helpers/user.ts';

import type { CallOptions } from '../../helpers/app.ts';

export const lab = Lab.script();
const { describe, it, before, after, afterEach } = lab;

const ROUTE = '/api/admin/config';
const registration = () => ({
    tenantName: 'Late',
    domain: `d${Math.random().toString(36).slice(2)}.example`,
    email: 'ada@late.example',
    password: 'a password for a test',
});

describe('The platform’s configuration, on two replicas', () => {
    let redis: TestRedis;
    let one: TestApp;
    let two: TestApp;
    let token: string;

    before(async () => {
        redis = await startRedis();
        [one, two] = await startReplicas({ redisPath: redis.path, config: { ACCESS_TOKEN_TTL: 10_000 } });
        token = await platformToken(one);
    });

    afterEach(async () => {
        const NONE = Object.fromEntries(Object.keys(defaultTiers.free).map((name) => [name, null]));
        const limits = { free: NONE, premium: NONE, enterprise: NONE };
        const maintenance = { isOn: false, message: null };
        expect((await patch({ registration: null, maintenance, limits })).status).to.equal(200);
    });

    after(async () => {
        await Promise.all([one.stop(), two.stop()]);
        await redis.stop();
    });

    const read = (options: CallOptions = {}) => one.call('GET', ROUTE, { token, ...options });
    const patch = (payload: object, headers: Record<string, string> = {}) =>
        one.call('PATCH', ROUTE, { token, payload, headers });

    it('is that of the settings until something is set', async () => {
        const { body, headers } = await read();
        expect(body.data.config).to.equal({
            registration: 'open',
            maintenance: { isOn: false, message: null },
            limits: defaultTiers,
            revision: 0,
            updatedAt: null,
        });
        expect(headers.etag).to.equal('"0"');
    });

    it('is changed in what is named, and counts its revisions', async () => {
        const before = (await read()).body.data.config;
        const { body, headers } = await patch({ registration: 'closed', limits: { free: { tunnels: 9 } } });
        const { config } = body.data;
        expect(config).to.include({ registration: 'closed', maintenance: before.maintenance });
        expect(config.limits).to.equal({ ...defaultTiers, free: { ...defaultTiers.free, tunnels: 9 } });
        expect(config.revision).to.equal(before.revision + 1);
        expect(headers.etag).to.equal(`"${config.revision}"`);
        expect((await read()).body.data.config).to.equal(config);
        const more = await patch({ limits: { free: { tunnels: null, vms: 1 } }, maintenance: { message: 'Soon' } });
        expect(more.body.data.config.limits.free).to.equal({ ...defaultTiers.free, vms: 1 });
        expect(more.body.data.config.maintenance).to.equal({ isOn: false, message: 'Soon' });
    });

    it('is obeyed by the very next request to another replica', async () => {
        const ada = await newTenant(one);
        const limit = async () => {
            const { headers } = await two.call('GET', '/api/auth/me', { token: ada.accessToken });
            return Number(headers['x-ratelimit-limit']);
        };
        for (const requestsPerMinute of [17, 23, 31]) {
            await patch({ limits: { free: { requestsPerMinute } } });
            expect(await limit()).to.equal(requestsPerMinute);
        }
        await patch({ registration: 'closed' });
        expectError(await two.call('POST', '/api/auth/register', { payload: registration() }), 'REGISTRATION_CLOSED');
        await patch({ registration: 'open' });
        expect((await two.call('POST', '/api/auth/register', { payload: registration() })).status).to.equal(201);
    });

    it('has its figures wherever a tier counts', async () => {
        const ada = await newTenant(one);
        const figures = { apiKeys: 0, projects: 0, tunnels: 0, requestsPerMonth: 55, concurrentGenerations: 2 };
        await patch({ limits: { free: figures } });
        const call = (method: string, url: string, payload?: object) =>
            two.call(method, url, { token: ada.accessToken, ...(payload && { payload }) });
        expectError(await call('POST', '/api/keys', { name: 'K', scopes: ['thread:read'] }), 'QUOTA_EXCEEDED');
        expectError(await call('POST', '/api/projects', { name: 'project' }), 'QUOTA_EXCEEDED');
        expectError(await call('POST', '/api/tunnels', { name: 'tunnel' }), 'QUOTA_EXCEEDED');
        const { tiers, own } = (await call('GET', '/api/tiers')).body.data;
        expect(tiers[0]).to.equal({ name: 'free', limits: { ...defaultTiers.free, ...figures } });
        expect(own.limits).to.equal(tiers[0].limits);
        const { usage } = (await call('GET', '/api/profile/usage')).body.data;
        expect([usage.requestsThisMonth.limit, usage.generations.limit]).to.equal([55, 2]);
    });

    it('is followed within seconds by a replica that was told nothing', async () => {
        await one.redis.hset(tenantKey('platform', 'config'), { registration: 'closed', revision: 1_000 });
        const isOpen = () => two.server.plugins.operations.settings().registration === 'open';
        while (isOpen()) await new Promise((resolve) => setTimeout(resolve, 50));
        expectError(await two.call('POST', '/api/auth/register', { payload: registration() }), 'REGISTRATION_CLOSED');
    });

    it('does not wait for ever for a process that does not answer', async () => {
        const dead = one.redis.duplicate();
        await dead.connect();
        await dead.subscribe('platform:config');
        expect((await patch({ registration: 'closed' })).status).to.equal(200);
        dead.disconnect();
    });

    it('is changed once for a revision, and loses nothing without one', async () => {
        const { revision } = (await read()).body.data.config;
        const headers = { 'if-match': `"${revision}"` };
        const all = await Promise.all([5, 6, 7].map((vms) => patch({ limits: { free: { vms } } }, headers)));
        expect(all.filter(({ status }) => status === 200)).to.have.length(1);
        for (const answer of all) if (answer.status !== 200) expectError(answer, 'REVISION_MISMATCH');
        const figures = ['tunnels', 'vms', 'projects', 'apiKeys', 'proxies'];
        await Promise.all(
            figures.map((name, n) => {
                const payload = { limits: { premium: { [name]: 41 + n } } };
                return (n % 2 === 0 ? one : two).call('PATCH', ROUTE, { token, payload });
            }),
        );
        const { limits } = (await read()).body.data.config;
        expect(figures.map((name) => limits.premium[name])).to.equal([41, 42, 43, 44, 45]);
    });

    it('refuses what is no configuration', async () => {
        expectFaults(await patch({}), ['body']);
        expectFaults(await patch({ registration: 'maybe', color: 'red' }), ['registration', 'color']);
        expectFaults(await patch({ maintenance: {} }), ['maintenance']);
        expectFaults(await patch({ maintenance: { isOn: 'yes' } }), ['maintenance.isOn']);
        expectFaults(await patch({ limits: { free: { tunnels: -1 }, gold: {} } }), [
            'limits.free.tunnels',
            'limits.gold',
        ]);
        expectFaults(await patch({ limits: { free: { requestsPerMinute: 0, elephants: 1 } } }), [
            'limits.free.requestsPerMinute',
            'limits.free.elephants',
        ]);
    });

    it('is shown to platform admins, and changed by superadmins', async () => {
        const ada = await newTenant(one);
        const as = async (role: 'support' | 'finance') => (await newUser(one, 'platform', role)).accessToken;
        for (const role of [await as('support'), await as('finance')]) {
            expect((await read({ token: role })).status).to.equal(200);
            const payload = { registration: 'open' };
            expectError(await one.call('PATCH', ROUTE, { token: role, payload }), 'FORBIDDEN');
        }
        expectError(await read({ token: ada.accessToken }), 'FORBIDDEN');
        expectError(await one.call('PATCH', ROUTE, { token: ada.accessToken, payload: {} }), 'FORBIDDEN');
        expectError(await one.call('GET', ROUTE), 'UNAUTHENTICATED');
    });

    it('is told in the audit and the events of the platform', async () => {
        const { body } = await patch({ limits: { free: { tunnels: 4 } } });
        const [entry] = (await readAudit(one, 'platform')).filter(
            ({ correlationId }) => correlationId === body.requestId,
        );
        expect(entry).to.include({ action: 'config.update', resource: 'config', result: 'success' });
        expect(JSON.parse(entry?.details ?? '')).to.equal({ limits: { free: { tunnels: 4 } } });
        const events = await one.redis.xrevrange(tenantKey('platform', 'events'), '+', '-', 'COUNT', 1);
        expect(events[0]?.[1].slice(0, 4)).to.equal(['type', 'platform.configured', 'data', '{"changed":["limits"]}']);
    });
});
