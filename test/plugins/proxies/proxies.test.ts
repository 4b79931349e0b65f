import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { newKey } from '../../helpers/api-key.ts';
import { startApp, startReplicas, type Answer, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { setLimits, setPlan } from '../../helpers/limits.ts';
import { newProxy, newProxyTenant, newProxyWith, NOBODYS_PROXY, proxyKeys, recordsOf } from '../../helpers/proxy.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newShare, newTunnel } from '../../helpers/tunnel.ts';
import { newUser } from '../../helpers/user.ts';
import { eventsOf } from '../../helpers/vm.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const statusesOf = (answers: Answer[]) => answers.map(({ status }) => status).toSorted((a, b) => a - b);
const DEFAULTS = {
    maxConnections: 100,
    timeout: 30_000,
    retries: 3,
    backoff: 1_000,
    healthInterval: 30_000,
    healthTimeout: 5_000,
    healthPath: '/',
    autoScale: false,
};

let app: TestApp;
let ada: TestTenant;
let tunnelId: string;

before(async () => {
    app = await startApp();
});

beforeEach(async () => {
    ada = await newProxyTenant(app);
    tunnelId = await newTunnel(ada);
});

after(() => app.stop());

const create = (name: string, more: object = {}) =>
    ada.call('POST', '/api/proxies', { payload: { name, members: [{ tunnelId }], ...more } });

describe('POST /api/proxies', () => {
    it('creates a proxy, with an event and an audit entry', async () => {
        const { status, body, headers } = await create('ollama', { config: { retries: 0 } });
        expect(status).to.equal(201);
        const { proxy } = body.data;
        expect(proxy).to.include({ name: 'ollama', status: 'created', desired: 'stopped', replicas: 1, revision: 1 });
        expect(proxy).to.include({ userId: ada.userId, strategy: 'priority', reason: null, lastUsedAt: null });
        expect(proxy.members).to.equal([{ tunnelId, priority: 0, weight: 1 }]);
        expect(proxy.config).to.equal({ ...DEFAULTS, retries: 0 });
        expect(proxy.statusChangedAt).to.equal(proxy.createdAt);
        expect(headers.etag).to.equal('"1"');
        const read = await ada.call('GET', `/api/proxies/${proxy.id}`);
        expect(read.body.data.proxy).to.equal(proxy);
        expect(read.headers.etag).to.equal('"1"');
        expect(await eventsOf(app, ada.tenantId, 'proxy.')).to.equal([
            { type: 'proxy.created', data: { proxyId: proxy.id, userId: ada.userId } },
        ]);
        const entry = (await readAudit(app, ada.tenantId)).find(({ action }) => action === 'proxy.create');
        expect(entry).to.include({ resourceId: proxy.id, userId: ada.userId, result: 'success' });
    });

    const members = [{ tunnelId: 'tun_00000000000000000000000000' }];
    const withConfig = (config: object) => ({ name: 'a', members, config });
    for (const [what, payload, fields] of [
        ['nothing', {}, ['name', 'members']],
        ['a reserved name', { name: 'admin', members }, ['name']],
        ['no members', { name: 'a', members: [] }, ['members']],
        ['a member twice', { name: 'a', members: [...members, ...members] }, ['members']],
        ['an id of something else', { name: 'a', members: [{ tunnelId: NOBODYS_PROXY }] }, ['members.0.tunnelId']],
        ['an unknown strategy', { name: 'a', members, strategy: 'random' }, ['strategy']],
        ['no connections', withConfig({ maxConnections: 0 }), ['config.maxConnections']],
        ['too many connections', withConfig({ maxConnections: 10_001 }), ['config.maxConnections']],
        ['a short timeout', withConfig({ timeout: 999 }), ['config.timeout']],
        ['a long timeout', withConfig({ timeout: 300_001 }), ['config.timeout']],
        ['many retries', withConfig({ retries: 11 }), ['config.retries']],
        ['a short backoff', withConfig({ backoff: 99 }), ['config.backoff']],
        ['a long backoff', withConfig({ backoff: 60_001 }), ['config.backoff']],
        ['a short interval', withConfig({ healthInterval: 999 }), ['config.healthInterval']],
        ['a long interval', withConfig({ healthInterval: 300_001 }), ['config.healthInterval']],
        ['a short check', withConfig({ healthTimeout: 999 }), ['config.healthTimeout']],
        ['a long check', withConfig({ healthTimeout: 60_001 }), ['config.healthTimeout']],
        ['a path of another host', withConfig({ healthPath: 'http://other/' }), ['config.healthPath']],
        ['a path that goes up', withConfig({ healthPath: '/%2e%2e/admin' }), ['config.healthPath']],
        ['an unknown setting', withConfig({ speed: 1 }), ['config.speed']],
        ['an unknown field', { name: 'a', members, status: 'running' }, ['status']],
    ] as const) {
        it(`refuses ${what}`, async () => {
            expectFaults(await ada.call('POST', '/api/proxies', { payload }), [...fields]);
        });
    }

    it('takes twenty members, and no more', async () => {
        await setPlan(app, ada.tenantId, 'enterprise');
        const ids = await Promise.all(Array.from({ length: 21 }, (_, n) => `tunnel-${n}`).map(anyTunnel));
        const most = { name: 'a', members: ids.slice(1).map((id) => ({ tunnelId: id })) };
        expectFaults(await create('a', { members: ids.map((id) => ({ tunnelId: id })) }), ['members']);
        expect((await ada.call('POST', '/api/proxies', { payload: most })).status).to.equal(201);
    });

    /** By the port, which has no rate limit. */
    const anyTunnel = async (name: string, n: number): Promise<string> => {
        if (n < 19) return newTunnel(ada, name);
        return newTunnel(await sharing(), name);
    };
    const sharing = async () => {
        const bob = await newUser(app, ada.tenantId, 'user');
        return {
            ...bob,
            call: async (...args: Parameters<typeof bob.call>) => {
                const answer = await bob.call(...args);
                await newShare(bob, answer.body.data.tunnel.id, { userId: ada.userId });
                return answer;
            },
        };
    };

    it('refuses tunnels that the owner may not use, and says which', async () => {
        const bob = await newUser(app, ada.tenantId, 'user');
        const eve = await newTenant(app);
        const [bobs, eves, gone] = [await newTunnel(bob), await newTunnel(eve), await newTunnel(ada, 'gone')];
        await ada.call('DELETE', `/api/tunnels/${gone}`);
        const wanted = [tunnelId, bobs, eves, gone].map((id) => ({ tunnelId: id }));
        const { details } = expectError(await create('a', { members: wanted }), 'TUNNEL_NOT_FOUND');
        expect(details).to.equal({ tunnelIds: [bobs, eves, gone] });
        await newShare(bob, bobs, { userId: ada.userId });
        expect((await create('a', { members: wanted.slice(0, 2) })).status).to.equal(201);
    });

    it('gives a name once to a user, whatever its case, also when it is asked for at once', async () => {
        const names = ['Ollama', 'ollama', 'OLLAMA', 'oLlama', 'Ollama', 'ollama'];
        const answers = await Promise.all(names.map((name) => create(name)));
        expect(statusesOf(answers)).to.equal([201, ...Array<number>(5).fill(409)]);
        for (const answer of answers.filter(({ status }) => status === 409)) expectError(answer, 'NAME_TAKEN');
        const bob = await newUser(app, ada.tenantId, 'user');
        await newProxy(bob, [await newTunnel(bob)]);
    });

    it('makes no more proxies than the tier allows, also when they are asked for at once', async () => {
        await setLimits(app, ada.tenantId, { proxies: 3 });
        const answers = await Promise.all(Array.from({ length: 8 }, (_, n) => create(`proxy-${n}`)));
        expect(statusesOf(answers)).to.equal([201, 201, 201, ...Array<number>(5).fill(429)]);
        const error = expectError(await create('one-more'), 'QUOTA_EXCEEDED');
        expect(error.details).to.equal({ quota: 'proxies', used: 3, limit: 3, resetsAt: null });
        await setLimits(app, ada.tenantId, {});
        expect((await create('one-more')).status).to.equal(201);
    });

    it('makes none in the free tier, nor where no replica is allowed', async () => {
        await setPlan(app, ada.tenantId, 'free');
        const error = expectError(await create('ollama'), 'QUOTA_EXCEEDED');
        expect(error.details).to.equal({ quota: 'proxies', used: 0, limit: 0, resetsAt: null });
        await setLimits(app, ada.tenantId, { proxies: 1 });
        const other = expectError(await create('ollama'), 'QUOTA_EXCEEDED');
        expect(other.details).to.include({ quota: 'replicasPerProxy', limit: 0 });
    });

    it('gives a name once on two replicas', async () => {
        const [one, two] = await startReplicas();
        const { accessToken: token, call } = await newProxyTenant(one);
        const payload = { name: 'ollama', members: [{ tunnelId: await newTunnel({ call }) }] };
        const calls = Array.from({ length: 8 }, (_, n) =>
            (n % 2 ? one : two).call('POST', '/api/proxies', { token, payload }),
        );
        expect(statusesOf(await Promise.all(calls))).to.equal([201, ...Array<number>(7).fill(409)]);
        await one.stop();
        await two.stop();
    });

    it('takes the permissions proxy:write and proxy:read', async () => {
        const { secret: token } = await newKey(ada, { scopes: ['proxy:read'] });
        const { id } = await newProxy(ada, [tunnelId]);
        for (const [method, path] of [
            ['POST', ''],
            ['PATCH', `/${id}`],
            ['DELETE', `/${id}`],
            ['POST', `/${id}/start`],
            ['POST', `/${id}/stop`],
            ['POST', `/${id}/scale`],
        ] as const) {
            expectError(await app.call(method, `/api/proxies${path}`, { token, payload: {} }), 'FORBIDDEN');
        }
        expect((await app.call('GET', `/api/proxies/${id}`, { token })).status).to.equal(200);
        const { secret: other } = await newKey(ada, { scopes: ['thread:read'] });
        for (const path of ['', `/${id}`, `/${id}/status`, `/${id}/health`, `/${id}/diagnostics`]) {
            expectError(await app.call('GET', `/api/proxies${path}`, { token: other }), 'FORBIDDEN');
        }
    });
});

describe('GET /api/proxies', () => {
    it('lists the user’s own proxies, page by page', async () => {
        const ids: string[] = [];
        for (const name of ['one', 'two', 'three']) ids.push((await newProxy(ada, [tunnelId], { name })).id);
        const bob = await newUser(app, ada.tenantId, 'user');
        await newProxy(bob, [await newTunnel(bob)]);
        const { body } = await ada.call('GET', '/api/proxies?limit=2&order=asc');
        expect(body.data.proxies.map(({ id }: { id: string }) => id)).to.equal(ids.slice(0, 2));
        expect(body.pagination).to.include({ hasMore: true, totalCount: 3 });
        const next = await ada.call('GET', `/api/proxies?limit=2&order=asc&cursor=${body.pagination.cursor}`);
        expect(next.body.data.proxies.map(({ id }: { id: string }) => id)).to.equal(ids.slice(2));
        expectError(await ada.call('GET', '/api/proxies?cursor=made-up'), 'INVALID_CURSOR');
        expectFaults(await ada.call('GET', '/api/proxies?limit=0&shared=true'), ['limit', 'shared']);
    });
});

describe('PATCH /api/proxies/{proxyId}', () => {
    const patch = (id: string, payload: object, headers = {}) =>
        ada.call('PATCH', `/api/proxies/${id}`, { payload, headers });

    it('changes what is named, with an event, and resets the rest when asked to', async () => {
        const { id } = await newProxy(ada, [tunnelId]);
        const first = await patch(id, { name: 'Office', strategy: 'round_robin', config: { healthPath: '/api/tags' } });
        expect(first.body.data.proxy).to.include({ name: 'Office', strategy: 'round_robin', revision: 2 });
        expect(first.body.data.proxy.config).to.equal({ ...DEFAULTS, healthPath: '/api/tags' });
        expect(first.headers.etag).to.equal('"2"');
        const second = await patch(id, { reset: true, config: { timeout: 2_000 } });
        expect(second.body.data.proxy.config).to.equal({ ...DEFAULTS, timeout: 2_000 });
        expect(second.body.data.proxy).to.include({ name: 'Office', strategy: 'round_robin' });
        const other = await newTunnel(ada, 'other');
        const third = await patch(id, { members: [{ tunnelId: other, priority: 2, weight: 3 }] });
        expect(third.body.data.proxy.members).to.equal([{ tunnelId: other, priority: 2, weight: 3 }]);
        expect(await eventsOf(app, ada.tenantId, 'proxy.updated')).to.have.length(3);
        const entries = (await readAudit(app, ada.tenantId)).filter(({ action }) => action === 'proxy.update');
        expect(entries[0]?.details).to.equal('{"fields":["name","strategy","config"]}');
    });

    it('loses none of several changes at once', async () => {
        const { id } = await newProxy(ada, [tunnelId]);
        const changes = [{ retries: 7 }, { timeout: 7_000 }, { autoScale: true }];
        await Promise.all(changes.map((config) => patch(id, { config })));
        const { proxy } = (await ada.call('GET', `/api/proxies/${id}`)).body.data;
        expect(proxy.config).to.equal({ ...DEFAULTS, retries: 7, timeout: 7_000, autoScale: true });
        expect(proxy.revision).to.equal(4);
    });

    it('keeps to the revision in If-Match, of several at once one', async () => {
        const { id } = await newProxy(ada, [tunnelId]);
        const change = { config: { timeout: 9_000 } };
        const answers = await Promise.all([1, 2, 3].map(() => patch(id, change, { 'if-match': '"1"' })));
        expect(statusesOf(answers)).to.equal([200, 412, 412]);
        expectError(await patch(id, change, { 'if-match': '"1"' }), 'REVISION_MISMATCH');
    });

    it('refuses what is no change, a name that is taken and foreign tunnels', async () => {
        const { id } = await newProxy(ada, [tunnelId], { name: 'one' });
        await newProxy(ada, [tunnelId], { name: 'two' });
        expectError(await patch(id, { name: 'TWO' }), 'NAME_TAKEN');
        expect((await patch(id, { name: 'ONE' })).status).to.equal(200);
        expect((await patch(id, { name: 'three' })).status).to.equal(200);
        await newProxy(ada, [tunnelId], { name: 'one' });
        expectFaults(await patch(id, { config: { timeout: 1 }, extra: 1 }), ['config.timeout', 'extra']);
        expectError(await patch(id, {}), 'VALIDATION_ERROR');
        const members = [{ tunnelId: await newTunnel(await newTenant(app)) }];
        expectError(await patch(id, { members }), 'TUNNEL_NOT_FOUND');
        expectError(await patch(NOBODYS_PROXY, { members }), 'PROXY_NOT_FOUND');
    });
});

describe('DELETE /api/proxies/{proxyId}', () => {
    it('leaves nothing of the proxy but its event and its audit', async () => {
        const { id } = await newProxy(ada, [tunnelId]);
        const path = `/api/proxies/${id}`;
        await ada.call('POST', `${path}/start`);
        const place = { tenantId: ada.tenantId, proxyId: id };
        await recordsOf(app).note(place, tunnelId, { isSuccess: true, latencyMs: 3 });
        expect(await proxyKeys(app, ada.tenantId)).to.have.length(5);
        expectError(await ada.call('DELETE', path, { headers: { 'if-match': '"99"' } }), 'REVISION_MISMATCH');
        expect((await ada.call('DELETE', path)).body.data.proxy.id).to.equal(id);
        for (const method of ['DELETE', 'GET']) expectError(await ada.call(method, path), 'PROXY_NOT_FOUND');
        expect(await proxyKeys(app, ada.tenantId)).to.equal([]);
        expect((await eventsOf(app, ada.tenantId, 'proxy.deleted')).map(({ data }) => data)).to.equal([
            { proxyId: id, userId: ada.userId },
        ]);
        await recordsOf(app).note(place, tunnelId, { isSuccess: true, latencyMs: 3 });
        expect(await proxyKeys(app, ada.tenantId)).to.equal([]);
        await newProxy(ada, [tunnelId]);
    });

    it('deletes it once, when several ask at once', async () => {
        const { id } = await newProxy(ada, [tunnelId]);
        const answers = await Promise.all([1, 2, 3, 4].map(() => ada.call('DELETE', `/api/proxies/${id}`)));
        expect(statusesOf(answers)).to.equal([200, 404, 404, 404]);
        expect(await eventsOf(app, ada.tenantId, 'proxy.deleted')).to.have.length(1);
    });
});

describe('a proxy of somebody else', () => {
    it('is not there, for another user of the tenant and for another tenant', async () => {
        const { id } = await newProxy(ada, [tunnelId]);
        for (const stranger of [await newUser(app, ada.tenantId, 'admin'), await newTenant(app)]) {
            for (const [method, path, payload] of [
                ['GET', '', undefined],
                ['PATCH', '', { name: 'mine' }],
                ['DELETE', '', undefined],
                ['POST', '/start', undefined],
                ['POST', '/stop', undefined],
                ['POST', '/scale', { replicas: 2 }],
                ['GET', '/status', undefined],
                ['GET', '/health', undefined],
                ['GET', '/diagnostics', undefined],
            ] as const) {
                const answer = await stranger.call(method, `/api/proxies/${id}${path}`, payload ? { payload } : {});
                expectError(answer, 'PROXY_NOT_FOUND');
            }
        }
    });
});

describe('the purge of a user', () => {
    it('removes the user’s proxies, and may be repeated', async () => {
        const own = await startApp({ config: { ACCESS_TOKEN_TTL: 400 * 86_400 } });
        const eve = await newProxyTenant(own);
        const { tenantId } = eve;
        const bob = await newUser(own, tenantId, 'user');
        await newProxyWith(bob, 1, { name: 'one' });
        await newProxyWith(bob, 1, { name: 'two' });
        const { id } = await newProxyWith(eve, 1);
        expect(await proxyKeys(own, tenantId)).to.have.length(7);
        await eve.call('DELETE', `/api/users/${bob.userId}`);
        await own.advance(31 * 86_400_000);
        for (let times = 0; times < 2; times++) await own.server.plugins.users.purge(tenantId, bob.userId);
        expect(await proxyKeys(own, tenantId)).to.have.length(3);
        expect((await eve.call('GET', `/api/proxies/${id}`)).status).to.equal(200);
        const told = (await readAudit(own, tenantId)).filter(({ action }) => action === 'proxy.delete');
        expect(told).to.have.length(2);
        await own.stop();
    });
});
