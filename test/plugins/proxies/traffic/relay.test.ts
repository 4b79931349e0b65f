import { text } from 'node:stream/consumers';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import OpenAI from 'openai';

import { newId } from '../../../../src/ids.ts';
import {
    connectAgent,
    startListeningReplicas,
    startService,
    type TestService,
    type TestTunnel,
} from '../../../helpers/live-tunnel.ts';
import { StandInProxies, startTraffic, type ProxyChanges, type TestTraffic } from '../../../helpers/proxy-traffic.ts';
import { newTenant, type TestTenant } from '../../../helpers/tenant.ts';
import { spawnAgent, until, type RunningAgent } from '../../../helpers/tunnel-agent.ts';
import { newRunningTunnel } from '../../../helpers/tunnel.ts';

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Proxy } from '../../../../plugins/proxies/api.ts';
import type { TestApp } from '../../../helpers/app.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, afterEach, after } = lab;

const CHUNKS = ['Lis', 'bon', '.'];
type Init = Omit<RequestInit, 'headers'> & { headers?: Record<string, string>; duplex?: 'half' };

describe('ANY /api/proxies/{proxyId}/http/{path*}', () => {
    let apps: [TestApp, TestApp];
    let traffics: [TestTraffic, TestTraffic];
    let records: StandInProxies;
    let tenant: TestTenant;
    let services: TestService[];
    let agents: RunningAgent[];
    let finishes: (() => void)[];
    /** What each service was asked, by its name. */
    let asked: string[];

    before(async () => {
        apps = await startListeningReplicas();
    });

    beforeEach(async () => {
        records = new StandInProxies();
        traffics = [await startTraffic(apps[0], records), await startTraffic(apps[1], records)];
        tenant = await newTenant(apps[0]);
        for (const traffic of traffics) traffic.admit(tenant);
        [services, agents, finishes, asked] = [[], [], [], []];
    });

    afterEach(async () => {
        for (const finish of finishes) finish();
        await Promise.all(agents.map((agent) => agent.stop()));
        await Promise.all(services.map((service) => service.stop()));
        await Promise.all(traffics.map((traffic) => traffic.stop()));
    });

    after(async () => {
        await Promise.all(apps.map((app) => app.stop()));
    });

    /** A service that tells its name, and what else a test asks of it. */
    const answer = async (name: string, request: IncomingMessage, response: ServerResponse) => {
        const { url = '', method = '' } = request;
        // The agent asks for the health of the service in that way.
        if (`${method} ${url}` !== 'GET /') asked.push(`${name} ${method} ${url}`);
        if (url === '/silent') return response;
        if (url === '/fails') return response.writeHead(503).end('not now');
        if (url === '/slow') {
            response.write('be');
            return finishes.push(() => response.end('gun'));
        }
        if (url === '/v1/models') {
            response.setHeader('content-type', 'application/json');
            return response.end(JSON.stringify({ object: 'list', data: [{ id: 'llama3', object: 'model' }] }));
        }
        const body = await text(request).catch(() => '');
        if (url !== '/v1/chat/completions') return response.end(`${name}${body}`);
        response.setHeader('content-type', 'text/event-stream');
        for (const content of CHUNKS) {
            response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`);
        }
        return response.end('data: [DONE]\n\n');
    };

    const newTunnel = async (config: object = {}): Promise<TestTunnel> => {
        const made = await newRunningTunnel(tenant, newId('link'));
        await tenant.call('PATCH', `/api/tunnels/${made.tunnelId}`, {
            payload: { config: { timeout: 30_000, ...config } },
        });
        const status = async () => {
            const { body } = await tenant.call('GET', `/api/tunnels/${made.tunnelId}`);
            return String(body.data.tunnel.status);
        };
        return { ...made, tenant, status };
    };

    /** A tunnel with an agent on that replica and a service behind it. */
    const newMember = async (name: string, app: TestApp, config: object = {}) => {
        const service = await startService((request, response) => void answer(name, request, response));
        services.push(service);
        const tunnel = await newTunnel(config);
        const agent = await connectAgent(app, tunnel, [service.url]);
        agents.push(agent);
        return { tunnelId: tunnel.tunnelId, tunnel, agent, service };
    };
    type Members = { tunnelId: string; priority?: number }[];
    const newProxy = (members: Members, changes: ProxyChanges = {}) =>
        records.add(
            apps[0],
            tenant,
            members.map(({ tunnelId, priority = 1 }) => ({ tunnelId, priority })),
            changes,
        );
    const baseOf = ({ id }: Proxy, replica: number) => `${traffics[replica]?.uri}/api/proxies/${id}/http`;
    const send = (proxy: Proxy, replica: number, path: string, { headers = {}, ...init }: Init = {}) =>
        fetch(`${baseOf(proxy, replica)}${path}`, {
            ...init,
            headers: { authorization: `Bearer ${tenant.accessToken}`, ...headers },
        } as RequestInit);
    const said = async (response: Response) => {
        const body = await response.text();
        return [response.status, response.ok ? body : JSON.parse(body).error.code];
    };

    it('serves the official openai client, through either replica', async () => {
        const proxy = await newProxy([await newMember('a', apps[0]), await newMember('b', apps[1])], {
            strategy: 'round_robin',
        });
        for (const replica of [0, 1, 0, 1]) {
            const baseURL = `${baseOf(proxy, replica)}/v1`;
            const client = new OpenAI({ baseURL, apiKey: tenant.accessToken, maxRetries: 0 });
            expect((await client.models.list()).data[0]?.id).to.equal('llama3');
            const messages = [{ role: 'user' as const, content: 'The capital of Portugal?' }];
            const stream = await client.chat.completions.create({ model: 'llama3', messages, stream: true });
            let answered = '';
            for await (const { choices } of stream) answered += choices[0]?.delta.content ?? '';
            expect(answered).to.equal('Lisbon.');
        }
        expect(asked.filter((each) => each.startsWith('a'))).to.have.length(4);
    });

    it('gives every piece of an answer as it comes, and its place back at the end', async () => {
        const proxy = await newProxy([await newMember('a', apps[0])]);
        const place = { tenantId: tenant.tenantId, proxyId: proxy.id };
        for (const replica of [0, 1]) {
            const response = await send(proxy, replica, '/slow');
            const reader = response.body?.getReader();
            expect(Buffer.from((await reader?.read())?.value ?? []).toString()).to.equal('be');
            expect(await traffics[0].load(place)).to.equal({ active: 1, waiting: 0 });
            finishes.pop()?.();
            expect(Buffer.from((await reader?.read())?.value ?? []).toString()).to.equal('gun');
            await until(async () => (await traffics[1].load(place)).active === 0);
        }
    });

    it('gives the place back when the client leaves, before and in the middle of an answer', async () => {
        const proxy = await newProxy([await newMember('a', apps[0])]);
        const place = { tenantId: tenant.tenantId, proxyId: proxy.id };
        for (const path of ['/slow', '/silent']) {
            const client = new AbortController();
            const sent = send(proxy, 1, path, { signal: client.signal }).catch(() => undefined);
            await until(async () => (await traffics[0].load(place)).active === 1);
            if (path === '/slow') await sent;
            client.abort();
            await until(async () => (await traffics[0].load(place)).active === 0);
        }
        expect(records.notes.every(({ isSuccess }) => isSuccess)).to.be.true();
    });

    it('has requests wait for room on one replica until it is free on another', async () => {
        const proxy = await newProxy([await newMember('a', apps[0])], { config: { maxConnections: 1 } });
        const slow = await send(proxy, 0, '/slow');
        const waiting = send(proxy, 1, '/');
        await until(
            async () => (await traffics[0].load({ tenantId: tenant.tenantId, proxyId: proxy.id })).waiting === 1,
        );
        const refused = await send(proxy, 0, '/');
        expect(Number(refused.headers.get('retry-after'))).to.be.above(0);
        expect(await said(refused)).to.equal([503, 'PROXY_BUSY']);
        finishes.pop()?.();
        expect(await slow.text()).to.equal('begun');
        expect(await said(await waiting)).to.equal([200, 'a']);
    });

    it('loses no idempotent request when the agent of a member is killed', async () => {
        const other = await newMember('b', apps[1]);
        const tunnel = await newTunnel();
        const service = await startService((request, response) => {
            if (request.url === '/') return response.end();
            return asked.push(`a ${request.url}`);
        });
        services.push(service);
        const args = ['--url', apps[0].server.info.uri, '--target', service.url, '--token', tunnel.token];
        const agent = spawnAgent(args);
        await until(async () => (await tunnel.status()) === 'connected');
        const proxy = await newProxy([tunnel, other], { strategy: 'round_robin' });
        const get = (at: number) => send(proxy, at % 2, `/${at}`).then(said);
        const sent = Array.from({ length: 50 }, (_each, at) => get(at));
        await until(() => asked.filter((each) => each.startsWith('a')).length === 25);
        await agent.stop('SIGKILL');
        for (let at = 50; at < 60; at++) sent.push(get(at));
        expect(await Promise.all(sent)).to.equal(Array.from({ length: 60 }, () => [200, 'b']));
        const failures = records.notes.filter(({ isSuccess }) => !isSuccess);
        expect(failures.length).to.be.at.least(25);
        expect(failures.every(({ tunnelId }) => tunnelId === tunnel.tunnelId)).to.be.true();
    });

    it('sends what was not delivered to another member, whatever the method, body and all', async () => {
        const [gone, there] = [await newTunnel(), await newMember('b', apps[1])];
        const proxy = await newProxy([
            { tunnelId: gone.tunnelId, priority: 1 },
            { ...there, priority: 2 },
        ]);
        const response = await send(proxy, 0, '/', { method: 'POST', body: '!' });
        expect(await said(response)).to.equal([200, 'b!']);
        expect(asked).to.equal(['b POST /']);
        expect(records.notes.map(({ tunnelId, isSuccess }) => [tunnelId, isSuccess])).to.equal([
            [gone.tunnelId, false],
            [there.tunnelId, true],
        ]);
    });

    it('sends what a busy member does not take to another, and thinks none the worse of it', async () => {
        const [full, free] = [await newMember('a', apps[0], { maxConnections: 1 }), await newMember('b', apps[1])];
        const proxy = await newProxy([
            { ...full, priority: 1 },
            { ...free, priority: 2 },
        ]);
        const slow = await send(proxy, 0, '/slow');
        expect(await said(await send(proxy, 1, '/', { method: 'POST' }))).to.equal([200, 'b']);
        finishes.pop()?.();
        await slow.text();
        expect(records.notes.every(({ isSuccess }) => isSuccess)).to.be.true();
    });

    it('does not send a request twice whose body has begun, and none that is not idempotent', async () => {
        const config = { timeout: 300 };
        const [silent, other] = [await newMember('a', apps[0]), await newMember('b', apps[1])];
        const proxy = await newProxy(
            [
                { ...silent, priority: 1 },
                { ...other, priority: 2 },
            ],
            { config },
        );
        for (const [method, body] of [
            ['POST', null],
            ['POST', 'x'],
            ['PUT', 'x'],
        ] as const) {
            const response = await send(proxy, 1, '/silent', { method, body });
            expect(await said(response), `${method} ${body}`).to.equal([504, 'TUNNEL_TIMEOUT']);
        }
        expect(asked).to.equal(['a POST /silent', 'a POST /silent', 'a PUT /silent']);
        const asGet = await send(proxy, 1, '/silent');
        expect(await said(asGet)).to.equal([504, 'TUNNEL_TIMEOUT']);
        expect(asked.slice(3, 5)).to.equal(['a GET /silent', 'b GET /silent']);
    });

    it('passes on what the service itself fails with', async () => {
        const [one, other] = [await newMember('a', apps[0]), await newMember('b', apps[1])];
        const proxy = await newProxy([
            { ...one, priority: 1 },
            { ...other, priority: 2 },
        ]);
        const response = await send(proxy, 1, '/fails');
        expect([response.status, await response.text()]).to.equal([503, 'not now']);
        expect(asked).to.equal(['a GET /fails']);
        expect(records.notes).to.equal([]);
    });

    it('says of each member why, when all are offline, after as many tries as it may make', async () => {
        const [one, two] = [await newTunnel(), await newTunnel()];
        const gone = 'tun_00000000000000000000000000';
        const members = [one.tunnelId, two.tunnelId, gone].map((tunnelId, at) => ({ tunnelId, priority: at }));
        const proxy = await newProxy(members, { config: { retries: 4 } });
        const response = await send(proxy, 0, '/', { method: 'POST' });
        const { error } = (await response.json()) as { error: { code: string; details: object } };
        expect([response.status, error.code]).to.equal([503, 'PROXY_OFFLINE']);
        expect(error.details).to.equal({
            members: [
                { tunnelId: one.tunnelId, reason: 'offline' },
                { tunnelId: two.tunnelId, reason: 'offline' },
                { tunnelId: gone, reason: 'not_found' },
            ],
        });
        expect(response.headers.get('retry-after')).to.not.be.null();
        const tried = records.notes.map(({ tunnelId }) => members.findIndex((member) => member.tunnelId === tunnelId));
        expect(tried).to.equal([0, 1, 2, 0, 1]);
        const hasty = await newProxy(members, { config: { retries: 0 } });
        expect(await said(await send(hasty, 0, '/'))).to.equal([503, 'TUNNEL_OFFLINE']);
    });

    it('finds the only member again after a while', async () => {
        const tunnel = await newTunnel();
        const proxy = await newProxy([tunnel], { config: { retries: 10, backoff: 1_000 } });
        const sent = send(proxy, 1, '/', { method: 'POST' });
        await until(() => records.notes.length > 0);
        const service = await startService((request, response) => void answer('a', request, response));
        services.push(service);
        agents.push(await connectAgent(apps[0], tunnel, [service.url]));
        expect(await said(await sent)).to.equal([200, 'a']);
    });

    it('knows neither another tenant’s proxy nor one that is gone, and asks for a permission', async () => {
        const other = await newTenant(apps[0]);
        const proxy = await newProxy([await newTunnel()]);
        const url = `/api/proxies/${proxy.id}/http/`;
        const code = async (who: TestTenant, path = url) => {
            const { payload } = await traffics[0].call(who, 'GET', path);
            return JSON.parse(payload).error.code as string;
        };
        expect(await code(other)).to.equal('UNAUTHENTICATED');
        traffics[0].admit(other, ['tunnel:read']);
        expect(await code(other)).to.equal('FORBIDDEN');
        traffics[0].admit(other, ['proxy:read']);
        expect(await code(other)).to.equal('PROXY_NOT_FOUND');
        expect(await code(tenant, '/api/proxies/proxy_00000000000000000000000000/http/')).to.equal('PROXY_NOT_FOUND');
        expect(await code(tenant, '/api/proxies/other/http/')).to.equal('VALIDATION_ERROR');
        expect(await code(tenant, `${url}a/%252e%252e/b`)).to.equal('MALFORMED_REQUEST');
        records.proxies.set(`${tenant.tenantId}/${proxy.id}`, { ...proxy, status: 'stopped' });
        expect(await code(tenant)).to.equal('PROXY_STOPPED');
    });
});
