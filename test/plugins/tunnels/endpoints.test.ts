import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { linkUp, newEndpoint, newRunningTunnel, newsOf, newTunnel, portOf } from '../../helpers/tunnel.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const NOBODYS = 'endpoint_00000000000000000000000000';

let app: TestApp;
let ada: TestTenant;
let id: string;

before(async () => {
    app = await startApp();
});

beforeEach(async () => {
    ada = await newTenant(app);
    id = await newTunnel(ada);
});

after(() => app.stop());

const add = (payload: object) => ada.call('POST', `/api/tunnels/${id}/endpoints`, { payload });
const listed = async () => (await ada.call('GET', `/api/tunnels/${id}/endpoints?order=asc`)).body.data.endpoints;
const healthOf = async () => (await ada.call('GET', `/api/tunnels/${id}/health`)).body.data.health;
const one = (method: string, endpointId: string, options = {}) =>
    ada.call(method, `/api/tunnels/${id}/endpoints/${endpointId}`, options);

describe('POST /api/tunnels/{tunnelId}/endpoints', () => {
    it('adds an endpoint, with what is usual where nothing is said, and an audit entry', async () => {
        const { status, body, headers } = await add({ url: 'http://localhost:11434/base' });
        expect(status).to.equal(201);
        expect(headers.etag).to.equal('"1"');
        const { endpoint } = body.data;
        expect(endpoint).to.include({ tunnelId: id, url: 'http://localhost:11434/base', priority: 0, weight: 1 });
        expect(endpoint).to.include({ isHealthy: null, checkedAt: null, revision: 1 });
        const entry = (await readAudit(app, ada.tenantId)).find(({ action }) => action === 'tunnel.add_endpoint');
        expect(entry).to.include({ resourceId: id, details: JSON.stringify({ endpointId: endpoint.id }) });
        expect(await portOf(app).endpoints({ tenantId: ada.tenantId, tunnelId: id })).to.have.length(1);
    });

    for (const [what, payload, fields] of [
        ['no address', {}, ['url']],
        ['another scheme', { url: 'file:///etc/passwd' }, ['url']],
        ['a user in the address', { url: 'http://ada:secret@localhost' }, ['url']],
        ['a priority below zero', { url: 'http://a', priority: -1 }, ['priority']],
        ['a query in the address', { url: 'http://localhost/?a=b' }, ['url']],
        ['a fragment in the address', { url: 'http://localhost#a' }, ['url']],
        ['no weight', { url: 'http://a', weight: 0 }, ['weight']],
        ['an unknown field', { url: 'http://a', isHealthy: true }, ['isHealthy']],
    ] as const) {
        it(`refuses ${what}`, async () => {
            expectFaults(await add(payload), [...fields]);
        });
    }

    it('adds twenty at most, also when they are asked for at once', async () => {
        const place = { tenantId: ada.tenantId, tunnelId: id };
        for (let n = 0; n < 11; n++) await newEndpoint(ada, id);
        // The route's own limit would leave nine of the calls.
        await app.redis.del(...(await app.redis.keys(`tenant:{${ada.tenantId}}:rate:*`)));
        const answers = await Promise.all(Array.from({ length: 14 }, () => add({ url: 'http://localhost' })));
        expect(answers.filter(({ status }) => status === 201)).to.have.length(9);
        const refused = answers.find(({ status }) => status !== 201);
        if (!refused) throw new Error('None was refused');
        expect(expectError(refused, 'QUOTA_EXCEEDED').details).to.include({ quota: 'tunnelEndpoints', limit: 20 });
        expect(await portOf(app).endpoints(place)).to.have.length(20);
    });
});

describe('PATCH and DELETE /api/tunnels/{tunnelId}/endpoints/{endpointId}', () => {
    it('change and remove an endpoint, by its revision', async () => {
        const endpointId = await newEndpoint(ada, id);
        const stale = { 'if-match': '"7"' };
        const payload = { priority: 3, weight: 5 };
        expectError(await one('PATCH', endpointId, { payload, headers: stale }), 'REVISION_MISMATCH');
        const { body } = await one('PATCH', endpointId, { payload });
        expect(body.data.endpoint).to.include({ priority: 3, weight: 5, url: 'http://localhost:11434', revision: 2 });
        expectFaults(await one('PATCH', endpointId, { payload: { url: 'ftp://a' } }), ['url']);
        expectError(await one('DELETE', endpointId, { headers: stale }), 'REVISION_MISMATCH');
        expect((await one('DELETE', endpointId)).body.data.endpoint.id).to.equal(endpointId);
        expect(await listed()).to.equal([]);
        for (const gone of [endpointId, NOBODYS]) {
            expectError(await one('PATCH', gone, { payload }), 'ENDPOINT_NOT_FOUND');
            expectError(await one('DELETE', gone), 'ENDPOINT_NOT_FOUND');
        }
        const actions = (await readAudit(app, ada.tenantId)).map(({ action }) => action);
        expect(actions).to.include(['tunnel.update_endpoint', 'tunnel.delete_endpoint']);
        const { entries } = (await ada.call('GET', `/api/tunnels/${id}/activity`)).body.data;
        const noted = entries
            .slice(0, 3)
            .map(({ type, details }: { type: string; details: object }) => [type, details]);
        expect(noted).to.equal([
            ['endpoint_removed', { endpointId }],
            ['endpoint_changed', { endpointId }],
            ['endpoint_added', { endpointId }],
        ]);
    });

    it('tell open links of each change, and of nothing else', async () => {
        const news = await newsOf(app, id);
        const endpointId = await newEndpoint(ada, id);
        await one('PATCH', endpointId, { payload: { priority: 1 } });
        await one('PATCH', endpointId, { payload: { priority: 2 }, headers: { 'if-match': '"7"' } });
        await one('DELETE', endpointId);
        await one('DELETE', endpointId);
        await ada.call('POST', `/api/tunnels/${id}/shares`, { payload: {} });
        const told = { kind: 'config_changed', tenantId: ada.tenantId, tunnelId: id };
        expect(await news.all()).to.equal([told, told, told]);
    });

    it('change an endpoint of one revision once, however many ask at once', async () => {
        const endpointId = await newEndpoint(ada, id);
        const first = { 'if-match': '"1"' };
        const answers = await Promise.all(
            Array.from({ length: 8 }, (_, priority) =>
                one('PATCH', endpointId, { payload: { priority }, headers: first }),
            ),
        );
        expect(answers.filter(({ status }) => status === 200)).to.have.length(1);
        expect((await listed())[0].revision).to.equal(2);
    });

    it('forget how an endpoint was that is gone, or somewhere else', async () => {
        const place = { tenantId: ada.tenantId, tunnelId: id };
        const [stays, moves, goes] = [
            await newEndpoint(ada, id),
            await newEndpoint(ada, id),
            await newEndpoint(ada, id),
        ];
        await portOf(app).setHealth(
            place,
            [stays, moves, goes].map((endpoint) => ({ endpoint, isHealthy: false, latencyMs: null, error: 'no' })),
        );
        await one('PATCH', stays, { payload: { priority: 1 } });
        await one('PATCH', moves, { payload: { url: 'http://elsewhere' } });
        await one('DELETE', goes);
        const { targets } = await healthOf();
        expect(targets.map(({ endpoint }: { endpoint: string }) => endpoint)).to.equal([stays]);
    });

    it('know only endpoints of the tunnel that they name', async () => {
        const endpointId = await newEndpoint(ada, await newTunnel(ada, 'other'));
        expectError(await one('PATCH', endpointId, { payload: { priority: 1 } }), 'ENDPOINT_NOT_FOUND');
        expectError(await one('DELETE', endpointId), 'ENDPOINT_NOT_FOUND');
    });
});

describe('setHealth', () => {
    it('tells how targets are, and in the activity when that changes', async () => {
        ({ tunnelId: id } = await newRunningTunnel(ada, 'running'));
        const place = { tenantId: ada.tenantId, tunnelId: id };
        const endpointId = await newEndpoint(ada, id);
        const tell = (isHealthy: boolean) =>
            portOf(app).setHealth(place, [
                {
                    endpoint: endpointId,
                    isHealthy,
                    latencyMs: isHealthy ? 4 : null,
                    ...(!isHealthy && { error: 'no' }),
                },
                { endpoint: 'of-the-agent', isHealthy: true, latencyMs: 2 },
            ]);
        expect(await healthOf()).to.equal({ state: 'unknown', isConnected: false, targets: [] });
        await linkUp(app, place);
        for (const isHealthy of [true, true, false]) await tell(isHealthy);
        const health = await healthOf();
        expect(health).to.include({ state: 'degraded', isConnected: true });
        const target = health.targets.find(({ endpoint }: { endpoint: string }) => endpoint === endpointId);
        expect(target).to.include({ isHealthy: false, latencyMs: null, error: 'no' });
        const [endpoint] = await listed();
        expect(endpoint).to.include({ isHealthy: false, latencyMs: null, error: 'no' });
        expect(Date.parse(endpoint.checkedAt)).to.be.above(0);
        const { body } = await ada.call('GET', `/api/tunnels/${id}/activity`);
        const changes = body.data.entries.filter(({ type }: { type: string }) => type === 'health_changed');
        expect(changes).to.have.length(3);
        await portOf(app).setHealth(place, [
            { endpoint: endpointId, isHealthy: false, latencyMs: null },
            { endpoint: 'of-the-agent', isHealthy: false, latencyMs: null },
        ]);
        expect((await healthOf()).state).to.equal('unhealthy');
        await tell(true);
        expect((await healthOf()).state).to.equal('healthy');
    });

    it('knows only the targets that were told of last', async () => {
        const place = { tenantId: ada.tenantId, tunnelId: id };
        const named = (...endpoints: string[]) =>
            endpoints.map((endpoint) => ({ endpoint, isHealthy: true, latencyMs: 1 }));
        await portOf(app).setHealth(place, named('http://old/', 'stays'));
        await portOf(app).setHealth(place, named('stays', 'new'));
        const { targets } = await healthOf();
        expect(targets.map(({ endpoint }: { endpoint: string }) => endpoint).toSorted()).to.equal(['new', 'stays']);
    });

    it('leaves nothing of a tunnel that is gone, and keeps a hundred targets at most', async () => {
        const place = { tenantId: ada.tenantId, tunnelId: id };
        const targets = Array.from({ length: 120 }, (_, n) => ({ endpoint: `t${n}`, isHealthy: true, latencyMs: 1 }));
        await portOf(app).setHealth(place, targets);
        expect((await healthOf()).targets).to.have.length(100);
        await ada.call('DELETE', `/api/tunnels/${id}`);
        await portOf(app).setHealth(place, targets);
        expect(await app.redis.keys(`*tunnel:${id}*`)).to.equal([]);
    });
});

describe('GET /api/tunnels/{tunnelId}/activity', () => {
    it('shows what happened, the newest first, a thousand entries at most', async () => {
        for (const operation of ['start', 'stop']) await ada.call('POST', `/api/tunnels/${id}/${operation}`);
        const path = `/api/tunnels/${id}/activity`;
        const { entries } = (await ada.call('GET', path)).body.data;
        expect(entries.map(({ type }: { type: string }) => type)).to.equal([
            'status_changed',
            'status_changed',
            'created',
        ]);
        const [stopped] = entries;
        expect(stopped.userId).to.equal(ada.userId);
        expect(stopped.details).to.equal({ from: 'connecting', to: 'disconnected', reason: 'stopped' });
        const place = { tenantId: ada.tenantId, tunnelId: id };
        for (let n = 0; n < 1_010; n++) {
            await portOf(app).setHealth(place, [{ endpoint: 'one', isHealthy: n % 2 === 0, latencyMs: 1 }]);
        }
        const all = (await ada.call('GET', `${path}?limit=1000`)).body.data.entries;
        expect(all).to.have.length(1_000);
        expect(await app.redis.xlen(`tenant:{${ada.tenantId}}:tunnel:${id}:activity`)).to.equal(1_000);
        expect((await ada.call('GET', `${path}?limit=2`)).body.data.entries).to.equal(all.slice(0, 2));
        expectFaults(await ada.call('GET', `${path}?limit=1001`), ['limit']);
    });
});
