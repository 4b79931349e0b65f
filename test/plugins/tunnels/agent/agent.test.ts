import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { StreamReset, type Link } from '../../../../plugins/tunnels/link/link.ts';
import { freePort } from '../../../helpers/free-ports.ts';
import {
    close,
    runAgent,
    startStandInGateway,
    textOf,
    TOKEN,
    TUNNEL_ID,
    until,
    type RunningAgent,
    type StandInGateway,
} from '../../../helpers/tunnel-agent.ts';

import type { AddressInfo } from 'node:net';
import type { Headers, RequestHead } from '../../../../plugins/tunnels/link/types.ts';

export const lab = Lab.script();
const { describe, it, beforeEach, afterEach } = lab;

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

describe('TunnelAgent', () => {
    let gateway: StandInGateway;
    let running: RunningAgent[];
    let services: { stop: () => Promise<void> }[];

    beforeEach(async () => {
        gateway = await startStandInGateway();
        running = [];
        services = [];
    });

    afterEach(async () => {
        await Promise.all(running.map((agent) => agent.stop()));
        await Promise.all(services.map((service) => service.stop()));
        await gateway.stop();
    });

    const start = (...args: Parameters<typeof runAgent>): RunningAgent => {
        const agent = runAgent(...args);
        running.push(agent);
        return agent;
    };

    /** A target. */
    const service = async (handler: Handler): Promise<string> => {
        const server = createServer(handler);
        await once(server.listen(0, '127.0.0.1'), 'listening');
        services.push({ stop: () => close(server) });
        return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    };

    const ask = (link: Link, head: Partial<RequestHead>, body: Uint8Array[] | null = null, gone?: AbortSignal) => {
        const whole = { method: 'GET', path: '/', headers: [] as Headers, ...head };
        const source =
            body &&
            (async function* () {
                yield* body;
            })();
        return link.request(whole, source, gone ?? new AbortController().signal);
    };

    const echo: Handler = async (request, response) => {
        const { method, url, rawHeaders } = request;
        response.setHeader('x-kept', ['one', 'two']);
        response.end(JSON.stringify({ method, url, rawHeaders, body: await text(request) }));
    };

    it('connects to the tunnel that the token names, and says what it relays to', async () => {
        const target = await service(echo);
        start(gateway.url, [`${target},priority=2,weight=3`]);
        await gateway.untilLinks(1);
        expect(gateway.requests).to.equal([
            { path: `/api/tunnels/${TUNNEL_ID}/connect`, authorization: `Bearer ${TOKEN}` },
        ]);
        expect(gateway.hellos[0]?.agent).to.match(/^llm-tunnel\/\d/);
        expect(gateway.hellos[0]?.endpoints).to.equal([{ id: `${target}/`, priority: 2, weight: 3 }]);
    });

    it('relays a request to the target, below its base path and with its own host', async () => {
        const target = await service(echo);
        start(gateway.url, [`${target}/base/`]);
        const link = await gateway.untilLinks(1);
        const headers: Headers = [
            ['host', 'api.example.com'],
            ['authorization', 'Bearer secret'],
            ['cookie', 'a=b'],
            ['origin', 'https://app.example.com'],
            ['content-type', 'text/plain'],
            ['content-length', '5'],
        ];
        const answer = await ask(link, { method: 'POST', path: '/api/chat?x=1', headers }, [Buffer.from('hello')]);
        expect(answer.status).to.equal(200);
        expect(answer.headers.filter(([name]) => name === 'x-kept')).to.equal([
            ['x-kept', 'one'],
            ['x-kept', 'two'],
        ]);
        const seen = JSON.parse(await textOf(answer));
        expect(seen).to.include({ method: 'POST', url: '/base/api/chat?x=1', body: 'hello' });
        const names = seen.rawHeaders.filter((_: string, index: number) => index % 2 === 0);
        expect(names.map((name: string) => name.toLowerCase()).toSorted()).to.equal([
            'connection',
            'content-length',
            'content-type',
            'host',
        ]);
        expect(seen.rawHeaders).to.include(new URL(target).host);
    });

    it('streams a body of unknown length, and an answer as it comes', async () => {
        let finish = (): void => undefined;
        const target = await service(async (request, response) => {
            response.write('first');
            const body = await text(request);
            finish = () => response.end(body);
        });
        start(gateway.url, [target]);
        const link = await gateway.untilLinks(1);
        const headers: Headers = [['transfer-encoding', 'chunked']];
        const answer = await ask(link, { method: 'POST', headers }, [Buffer.from('se'), Buffer.from('cond')]);
        const body = answer.body[Symbol.asyncIterator]();
        expect(Buffer.from((await body.next()).value ?? '').toString()).to.equal('first');
        finish();
        expect(await textOf({ body: { [Symbol.asyncIterator]: () => body } })).to.equal('second');
    });

    it('refuses a path that leaves the base path, and a length that is two', async () => {
        let hits = 0;
        const target = await service((request, response) => {
            if (request.url !== '/base/') hits++;
            response.end();
        });
        start(gateway.url, [`${target}/base`]);
        const link = await gateway.untilLinks(1);
        for (const path of ['/../admin', '/%2e%2e/admin', '//elsewhere/', '/a\\b']) {
            const error = await expect(ask(link, { path })).to.reject(StreamReset);
            expect(error.code, path).to.equal('refused');
        }
        const twice: Headers = [
            ['content-length', '1'],
            ['content-length', '2'],
        ];
        const error = await expect(ask(link, { method: 'POST', headers: twice }, [Buffer.from('ab')])).to.reject(
            StreamReset,
        );
        expect(error.code).to.equal('protocol');
        expect(hits).to.equal(0);
    });

    it('tells that a target is not there', async () => {
        start(gateway.url, [`http://127.0.0.1:${await freePort()}`]);
        const link = await gateway.untilLinks(1);
        const error = await expect(ask(link, {})).to.reject(StreamReset);
        expect(error.code).to.equal('unreachable');
    });

    it('cancels at the target what is not wanted any more', async () => {
        let left = (): void => undefined;
        const gone = new Promise<void>((resolve) => (left = resolve));
        const target = await service((_request, response) => {
            response.write('x');
            response.once('close', left);
        });
        start(gateway.url, [target]);
        const link = await gateway.untilLinks(1);
        const client = new AbortController();
        const answer = await ask(link, {}, null, client.signal);
        await answer.body[Symbol.asyncIterator]().next();
        client.abort();
        await gone;
    });

    it('takes another target when the first is not there, and what it had may be sent again', async () => {
        const there = await service(echo);
        start(gateway.url, [`http://127.0.0.1:${await freePort()},priority=1`, `${there},priority=2`]);
        const link = await gateway.untilLinks(1);
        const headers: Headers = [['content-length', '2']];
        const answers = await Promise.all(
            Array.from({ length: 20 }, () => ask(link, { method: 'POST', headers }, [Buffer.from('ab')])),
        );
        for (const answer of answers) expect(JSON.parse(await textOf(answer)).body).to.equal('ab');
    });

    it('does not send twice what cannot be', async () => {
        let hits = 0;
        const breaking = await service((request) => {
            if (request.method === 'POST') hits++;
            request.socket.destroy();
        });
        const there = await service((request, response) => {
            if (request.method === 'POST') hits++;
            response.end('there');
        });
        start(gateway.url, [`${breaking},priority=1`, `${there},priority=2`]);
        const link = await gateway.untilLinks(1);
        await expect(ask(link, { method: 'POST' })).to.reject(StreamReset);
        expect(hits).to.equal(1);
        expect(await textOf(await ask(link, {}))).to.equal('there');
    });

    it('tells how the targets are, and takes the healthy one', async () => {
        const sick = await service((_request, response) => response.writeHead(500).end('sick'));
        const well = await service((_request, response) => response.end('well'));
        const health = { everyMs: 10, timeoutMs: 5_000, failures: 3, recoveryMs: 60_000 };
        start(gateway.url, [`${sick},priority=1`, `${well},priority=2`], { health });
        const link = await gateway.untilLinks(1);
        await until(() => gateway.healths.at(-1)?.[0]?.isHealthy === false);
        expect(gateway.healths.at(-1)?.[0]).to.include({ endpoint: `${sick}/`, error: 'It answered 500' });
        expect(gateway.healths.at(-1)?.[1]).to.include({ endpoint: `${well}/`, isHealthy: true });
        expect(await textOf(await ask(link, {}))).to.equal('well');
    });

    it('connects again when the connection is lost', async () => {
        const { told } = start(gateway.url, [await service(echo)]);
        (await gateway.untilLinks(1)).close(1012, 'bye');
        await gateway.untilLinks(2);
        expect(told).to.include('The connection is lost: the server restarts');
    });

    it('connects anew before an old link drains, and finishes what runs on it', async () => {
        let finish = (): void => undefined;
        const target = await service((request, response) => {
            if (request.url === '/slow') {
                response.write('be');
                finish = () => response.end('gun');
            } else response.end('quick');
        });
        start(gateway.url, [target]);
        const old = await gateway.untilLinks(1);
        const slow = await ask(old, { path: '/slow' });
        old.goAway('restart');
        const fresh = await gateway.untilLinks(2);
        expect(old.isOpen).to.be.true();
        expect(await textOf(await ask(fresh, { path: '/quick' }))).to.equal('quick');
        finish();
        expect(await textOf(slow)).to.equal('begun');
        await old.closed;
        expect(fresh.isOpen).to.be.true();
    });

    it('ends with 3 when the token is refused, before or after it was good', async () => {
        gateway.refuse(401);
        expect(await start(gateway.url, ['http://127.0.0.1:1']).exit).to.equal(3);
        gateway.refuse(null);
        const { exit } = start(gateway.url, ['http://127.0.0.1:1']);
        (await gateway.untilLinks(1)).close(4401, '');
        expect(await exit).to.equal(3);
    });

    it('ends with 4 when another agent has taken over', async () => {
        const { exit } = start(gateway.url, ['http://127.0.0.1:1']);
        (await gateway.untilLinks(1)).close(4409, '');
        expect(await exit).to.equal(4);
    });

    it('waits for a tunnel that is stopped', async () => {
        gateway.refuse(409);
        const { told } = start(gateway.url, ['http://127.0.0.1:1']);
        await until(() => told.length > 1);
        gateway.refuse(null);
        await gateway.untilLinks(1);
        expect(told[0]).to.match(/^The tunnel is stopped/);
    });

    it('gives up with --once: 5 for the network, 4 for a tunnel that is stopped', async () => {
        const nobody = `http://127.0.0.1:${await freePort()}`;
        expect(await start(nobody, ['http://127.0.0.1:1'], {}, ['--once']).exit).to.equal(5);
        gateway.refuse(409);
        expect(await start(gateway.url, ['http://127.0.0.1:1'], {}, ['--once']).exit).to.equal(4);
    });

    it('finishes what runs when it is asked to stop, and takes nothing new', async () => {
        let finish = (): void => undefined;
        const target = await service((request, response) => {
            if (request.url !== '/slow') return void response.end();
            response.write('be');
            finish = () => response.end('gun');
        });
        const { agent, exit } = start(gateway.url, [target]);
        const link = await gateway.untilLinks(1);
        const slow = await ask(link, { path: '/slow' });
        agent.stop();
        const error = await expect(ask(link, {})).to.reject(StreamReset);
        expect(error.code).to.equal('refused');
        finish();
        expect(await textOf(slow)).to.equal('begun');
        expect(await exit).to.equal(0);
    });

    it('does not wait for what runs any longer than it may', async () => {
        const target = await service((_request, response) => void response.write('x'));
        const { agent, exit } = start(gateway.url, [target], { farewellMs: 50 });
        await ask(await gateway.untilLinks(1), {});
        agent.stop();
        expect(await exit).to.equal(0);
    });
});
