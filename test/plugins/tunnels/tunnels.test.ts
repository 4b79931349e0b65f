import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { newKey } from '../../helpers/api-key.ts';
import { startApp, startReplicas, type Answer, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { setLimits, setPlan } from '../../helpers/limits.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newEndpoint, newShare, newTunnel, portOf, tunnelKeys } from '../../helpers/tunnel.ts';
import { newUser } from '../../helpers/user.ts';
import { eventsOf } from '../../helpers/vm.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const statusesOf = (answers: Answer[]) => answers.map(({ status }) => status).toSorted((a, b) => a - b);
const DEFAULTS = { maxConnections: 100, timeout: 30_000, compression: false };

let app: TestApp;
let ada: TestTenant;

before(async () => {
    app = await startApp();
});

beforeEach(async () => {
    ada = await newTenant(app);
});

after(() => app.stop());

const create = (name: string, more: object = {}) => ada.call('POST', '/api/tunnels', { payload: { name, ...more } });

describe('POST /api/tunnels', () => {
    it('creates a tunnel, with an event and an audit entry, and shows its token', async () => {
        const { status, body, headers } = await create('home', { config: { timeout: 5_000 } });
        expect(status).to.equal(201);
        const { tunnel, token } = body.data;
        expect(tunnel).to.include({ name: 'home', status: 'created', desired: 'stopped', revision: 1 });
        expect(tunnel).to.include({ userId: ada.userId, access: 'owner', reason: null });
        expect(tunnel.config).to.equal({ ...DEFAULTS, timeout: 5_000 });
        expect(tunnel.tokenChangedAt).to.equal(tunnel.createdAt);
        expect(headers.etag).to.equal('"1"');
        expect(token).to.match(/^tun_[0-9A-Z]{52}_[\w-]{43}$/);
        const [event] = await eventsOf(app, ada.tenantId, 'tunnel.');
        expect(event).to.equal({ type: 'tunnel.created', data: { tunnelId: tunnel.id, userId: ada.userId } });
        const entry = (await readAudit(app, ada.tenantId)).find(({ action }) => action === 'tunnel.create');
        expect(entry).to.include({ resourceId: tunnel.id, userId: ada.userId, result: 'success' });
    });

    it('keeps nothing of the token but a hash', async () => {
        const { token } = (await create('home')).body.data;
        const keys = await app.redis.keys(`tenant:{${ada.tenantId}}:tunnel*`);
        const kept = await Promise.all(keys.map(async (key) => JSON.stringify(await valueOf(key))));
        expect(kept.join()).to.include('tokenHash');
        expect(kept.join()).to.not.include(String(token).slice(-20));
        expect((await ada.call('GET', '/api/tunnels')).text).to.not.include('tokenHash');
    });

    const valueOf = async (key: string): Promise<unknown> =>
        (await app.redis.type(key)) === 'hash' ? app.redis.hgetall(key) : null;

    for (const [what, payload, fields] of [
        ['no name', {}, ['name']],
        ['a reserved name', { name: 'admin' }, ['name']],
        ['a space in the name', { name: 'my home' }, ['name']],
        ['no connections', { name: 'a', config: { maxConnections: 0 } }, ['config.maxConnections']],
        ['too many connections', { name: 'a', config: { maxConnections: 10_001 } }, ['config.maxConnections']],
        ['a timeout that is too short', { name: 'a', config: { timeout: 999 } }, ['config.timeout']],
        ['a timeout that is too long', { name: 'a', config: { timeout: 300_001 } }, ['config.timeout']],
        ['an unknown setting', { name: 'a', config: { speed: 1 } }, ['config.speed']],
        ['an unknown field', { name: 'a', status: 'connected' }, ['status']],
    ] as const) {
        it(`refuses ${what}`, async () => {
            expectFaults(await ada.call('POST', '/api/tunnels', { payload }), [...fields]);
        });
    }

    it('gives a name once to a user, whatever its case, also when it is asked for at once', async () => {
        const names = ['Home', 'home', 'HOME', 'hOme', 'Home', 'home', 'homE', 'home'];
        const answers = await Promise.all(names.map((name) => create(name)));
        expect(statusesOf(answers)).to.equal([201, ...Array<number>(7).fill(409)]);
        for (const answer of answers.filter(({ status }) => status === 409)) expectError(answer, 'NAME_TAKEN');
        await newTunnel(await newUser(app, ada.tenantId, 'user'), 'home');
    });

    it('makes no more tunnels than the tier allows, also when they are asked for at once', async () => {
        const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => create(`tunnel-${n}`)));
        expect(statusesOf(answers)).to.equal([201, 201, 201, ...Array<number>(7).fill(429)]);
        const error = expectError(await create('one-more'), 'QUOTA_EXCEEDED');
        expect(error.details).to.equal({ quota: 'tunnels', used: 3, limit: 3, resetsAt: null });
        await newTunnel(await newUser(app, ada.tenantId, 'user'), 'of-another-user');
        await setLimits(app, ada.tenantId, { tunnels: 4 });
        await newTunnel(ada, 'one-more');
        expectError(await create('and-more'), 'QUOTA_EXCEEDED');
    });

    it('has no limit where the tier says none', async () => {
        await setPlan(app, ada.tenantId, 'enterprise');
        for (let n = 0; n < 4; n++) await newTunnel(ada, `tunnel-${n}`);
    });

    it('gives a name once on two replicas', async () => {
        const [one, two] = await startReplicas();
        const { accessToken: token } = await newTenant(one);
        const options = { token, payload: { name: 'home' } };
        const calls = Array.from({ length: 10 }, (_, n) => (n % 2 ? one : two).call('POST', '/api/tunnels', options));
        expect(statusesOf(await Promise.all(calls))).to.equal([201, ...Array<number>(9).fill(409)]);
        await one.stop();
        await two.stop();
    });

    it('takes the permission tunnel:write', async () => {
        const { secret: token } = await newKey(ada, { scopes: ['tunnel:read'] });
        const id = await newTunnel(ada);
        for (const [method, path] of [
            ['POST', ''],
            ['PATCH', `/${id}`],
            ['DELETE', `/${id}`],
            ['POST', `/${id}/start`],
            ['POST', `/${id}/stop`],
            ['POST', `/${id}/token`],
            ['POST', `/${id}/endpoints`],
            ['POST', `/${id}/shares`],
        ] as const) {
            expectError(await app.call(method, `/api/tunnels${path}`, { token, payload: {} }), 'FORBIDDEN');
        }
        expect((await app.call('GET', `/api/tunnels/${id}`, { token })).status).to.equal(200);
        const { secret: other } = await newKey(ada, { scopes: ['thread:read'] });
        for (const path of ['', '/metrics', `/${id}`, `/${id}/status`, `/${id}/shares`]) {
            expectError(await app.call('GET', `/api/tunnels${path}`, { token: other }), 'FORBIDDEN');
        }
    });
});

describe('GET /api/tunnels', () => {
    it('lists the user’s own tunnels, page by page', async () => {
        const ids: string[] = [];
        for (const name of ['one', 'two', 'three']) {
            ids.push(await newTunnel(ada, name));
            // Those of one millisecond have no order.
            await sleep(2);
        }
        await newTunnel(await newUser(app, ada.tenantId, 'user'), 'of-another-user');
        const { body } = await ada.call('GET', '/api/tunnels?limit=2&order=asc');
        expect(body.data.tunnels.map(({ id }: { id: string }) => id)).to.equal(ids.slice(0, 2));
        expect(body.pagination).to.include({ hasMore: true, totalCount: 3 });
        const next = await ada.call('GET', `/api/tunnels?limit=2&order=asc&cursor=${body.pagination.cursor}`);
        expect(next.body.data.tunnels.map(({ id }: { id: string }) => id)).to.equal(ids.slice(2));
        expectError(await ada.call('GET', '/api/tunnels?cursor=made-up'), 'INVALID_CURSOR');
        expectFaults(await ada.call('GET', '/api/tunnels?limit=0&shared=maybe'), ['limit', 'shared']);
    });
});

describe('PATCH /api/tunnels/{tunnelId}', () => {
    const patch = (id: string, payload: object, headers = {}) =>
        ada.call('PATCH', `/api/tunnels/${id}`, { payload, headers });

    it('changes what is named, with an event, and resets the rest when asked to', async () => {
        const id = await newTunnel(ada);
        const first = await patch(id, { name: 'Office', config: { timeout: 1_000, compression: true } });
        expect(first.body.data.tunnel).to.include({ name: 'Office', revision: 2 });
        expect(first.body.data.tunnel.config).to.equal({ ...DEFAULTS, timeout: 1_000, compression: true });
        expect(first.headers.etag).to.equal('"2"');
        const second = await patch(id, { config: { maxConnections: 5 } });
        expect(second.body.data.tunnel.config).to.equal({ maxConnections: 5, timeout: 1_000, compression: true });
        const third = await patch(id, { reset: true, config: { timeout: 2_000 } });
        expect(third.body.data.tunnel.config).to.equal({ ...DEFAULTS, timeout: 2_000 });
        expect(third.body.data.tunnel.name).to.equal('Office');
        expect((await patch(id, { reset: true })).body.data.tunnel.config).to.equal(DEFAULTS);
        expect(await eventsOf(app, ada.tenantId, 'tunnel.updated')).to.have.length(4);
        const entries = (await readAudit(app, ada.tenantId)).filter(({ action }) => action === 'tunnel.update');
        expect(entries.map(({ details }) => details)[0]).to.equal('{"fields":["name","config"]}');
    });

    it('loses none of several changes at once', async () => {
        const id = await newTunnel(ada);
        await Promise.all([
            patch(id, { config: { maxConnections: 7 } }),
            patch(id, { config: { timeout: 7_000 } }),
            patch(id, { config: { compression: true } }),
        ]);
        const { tunnel } = (await ada.call('GET', `/api/tunnels/${id}`)).body.data;
        expect(tunnel.config).to.equal({ maxConnections: 7, timeout: 7_000, compression: true });
        expect(tunnel.revision).to.equal(4);
    });

    it('keeps to the revision in If-Match, of several at once one', async () => {
        const id = await newTunnel(ada);
        const change = { config: { timeout: 9_000 } };
        const answers = await Promise.all([1, 2, 3].map(() => patch(id, change, { 'if-match': '"1"' })));
        expect(statusesOf(answers)).to.equal([200, 412, 412]);
        expectError(await patch(id, change, { 'if-match': '"1"' }), 'REVISION_MISMATCH');
    });

    it('refuses a name that is taken, and frees the one it had', async () => {
        const id = await newTunnel(ada, 'one');
        await newTunnel(ada, 'two');
        expectError(await patch(id, { name: 'TWO' }), 'NAME_TAKEN');
        expect((await patch(id, { name: 'ONE' })).status).to.equal(200);
        expect((await patch(id, { name: 'three' })).status).to.equal(200);
        await newTunnel(ada, 'one');
        expectFaults(await patch(id, { config: { timeout: 1 }, extra: 1 }), ['config.timeout', 'extra']);
        expectError(await patch(id, {}), 'VALIDATION_ERROR');
    });
});

describe('DELETE /api/tunnels/{tunnelId}', () => {
    it('leaves nothing of the tunnel but its event, its audit and what went through it', async () => {
        const id = await newTunnel(ada);
        const bob = await newUser(app, ada.tenantId, 'user');
        await newEndpoint(ada, id);
        await newShare(ada, id, { userId: bob.userId });
        await newShare(ada, id);
        const place = { tenantId: ada.tenantId, tunnelId: id };
        await portOf(app).setHealth(place, [{ endpoint: 'one', isHealthy: true, latencyMs: 1 }]);
        portOf(app).count(place, { outcome: 'success', latencyMs: 5, bytesIn: 1, bytesOut: 2 });
        await portOf(app).flush();
        const path = `/api/tunnels/${id}`;
        expectError(await ada.call('DELETE', path, { headers: { 'if-match': '"99"' } }), 'REVISION_MISMATCH');
        expect((await ada.call('DELETE', path)).body.data.tunnel.id).to.equal(id);
        expectError(await ada.call('DELETE', path), 'TUNNEL_NOT_FOUND');
        expectError(await bob.call('GET', path), 'TUNNEL_NOT_FOUND');
        const left = (await tunnelKeys(app, ada.tenantId)).filter((key) => !/:counted:|:idempotency:|:rate:/.test(key));
        expect(left.filter((key) => !/:tunnel-metrics:\d{8}$|:tunnels:relayed:\d{6}$/.test(key))).to.equal([]);
        expect(left).to.have.length(2);
        expect((await eventsOf(app, ada.tenantId, 'tunnel.deleted')).map(({ data }) => data)).to.equal([
            { tunnelId: id, userId: ada.userId },
        ]);
        await newTunnel(ada);
    });

    it('deletes it once, when several ask at once', async () => {
        const id = await newTunnel(ada);
        const answers = await Promise.all([1, 2, 3, 4].map(() => ada.call('DELETE', `/api/tunnels/${id}`)));
        expect(statusesOf(answers)).to.equal([200, 404, 404, 404]);
        expect(await eventsOf(app, ada.tenantId, 'tunnel.deleted')).to.have.length(1);
    });
});

describe('a tunnel of somebody else', () => {
    it('is not there, for another user of the tenant and for another tenant', async () => {
        const id = await newTunnel(ada);
        const strangers = [await newUser(app, ada.tenantId, 'admin'), await newTenant(app)];
        for (const stranger of strangers) {
            for (const [method, path, payload] of [
                ['GET', '', undefined],
                ['PATCH', '', { name: 'mine' }],
                ['DELETE', '', undefined],
                ['POST', '/start', undefined],
                ['POST', '/stop', undefined],
                ['POST', '/token', undefined],
                ['GET', '/status', undefined],
                ['GET', '/health', undefined],
                ['GET', '/metrics', undefined],
                ['GET', '/activity', undefined],
                ['GET', '/endpoints', undefined],
                ['POST', '/endpoints', { url: 'http://localhost' }],
                ['GET', '/shares', undefined],
                ['POST', '/shares', {}],
            ] as const) {
                const answer = await stranger.call(method, `/api/tunnels/${id}${path}`, payload ? { payload } : {});
                expectError(answer, 'TUNNEL_NOT_FOUND');
            }
        }
    });
});

describe('the purge of a user', () => {
    it('removes the user’s tunnels and what was shared with the user, and may be repeated', async () => {
        const own = await startApp({ config: { ACCESS_TOKEN_TTL: 400 * 86_400 } });
        const eve = await newTenant(own);
        const { tenantId } = eve;
        const bob = await newUser(own, tenantId, 'user');
        const id = await newTunnel(eve);
        await newShare(eve, id, { userId: bob.userId });
        await newTunnel(bob, 'one');
        const bobs = await newTunnel(bob, 'two');
        await newShare(bob, bobs, { userId: eve.userId });
        const call = { outcome: 'success', latencyMs: 5, bytesIn: 1, bytesOut: 2 } as const;
        portOf(own).count({ tenantId, tunnelId: bobs }, call);
        await portOf(own).flush();
        const ofBob = async () =>
            (await tunnelKeys(own, tenantId)).filter((key) => key.includes(`user:${bob.userId}:`));
        expect(await ofBob()).to.have.length(4);
        await eve.call('DELETE', `/api/users/${bob.userId}`);
        await own.advance(31 * 86_400_000);
        for (let times = 0; times < 2; times++) await own.server.plugins.users.purge(tenantId, bob.userId);
        expect(await ofBob()).to.equal([]);
        expect((await eve.call('GET', `/api/tunnels/${id}/shares`)).body.data.shares).to.equal([]);
        expect((await eve.call('GET', '/api/tunnels?shared=true')).body.data.tunnels).to.equal([]);
        expectError(await eve.call('GET', `/api/tunnels/${bobs}`), 'TUNNEL_NOT_FOUND');
        expect((await eve.call('GET', `/api/tunnels/${id}`)).status).to.equal(200);
        const told = (await readAudit(own, tenantId)).filter(({ action }) => action === 'tunnel.delete');
        expect(told).to.have.length(2);
        await own.stop();
    });
});
