import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import { Ollama } from 'ollama';
import OpenAI from 'openai';

import {
    connectAgent,
    newTunnel,
    startListeningReplicas,
    startService,
    through,
    type TestService,
    type TestTunnel,
} from '../../../helpers/live-tunnel.ts';
import { until, type RunningAgent } from '../../../helpers/tunnel-agent.ts';

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TestApp } from '../../../helpers/app.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const CHUNKS = ['Lis', 'bon', '.'];
const json = (response: ServerResponse, body: object) => {
    const bytes = Buffer.from(JSON.stringify(body));
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length }).end(bytes);
};

const BIG_PIECES = 1_024;
let written = 0;

/** 64 MiB, and how many of its pieces were asked for. */
function* big(): Generator<Buffer> {
    for (written = 0; written < BIG_PIECES; written++) yield Buffer.alloc(65_536, written % 251);
}

/** A stand-in for Ollama, in its own form and in OpenAI's, and what else a service may do. */
async function answer(request: IncomingMessage, response: ServerResponse, finishes: (() => void)[]): Promise<unknown> {
    const { url = '' } = request;
    if (url === '/api/tags') return json(response, { models: [{ name: 'llama3:latest', model: 'llama3:latest' }] });
    if (url === '/api/chat') {
        await text(request);
        response.setHeader('content-type', 'application/x-ndjson');
        for (const content of CHUNKS) {
            const message = { role: 'assistant', content };
            response.write(`${JSON.stringify({ model: 'llama3', message, done: false })}\n`);
        }
        return response.end(
            `${JSON.stringify({ model: 'llama3', message: { role: 'assistant', content: '' }, done: true })}\n`,
        );
    }
    if (url === '/v1/models') return json(response, { object: 'list', data: [{ id: 'llama3', object: 'model' }] });
    if (url === '/v1/chat/completions') {
        await text(request);
        response.setHeader('content-type', 'text/event-stream');
        for (const content of CHUNKS) {
            response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`);
        }
        return response.end('data: [DONE]\n\n');
    }
    return misbehave(request, response, finishes);
}

/** What a service may do besides; an echo of anything else. */
async function misbehave(
    request: IncomingMessage,
    response: ServerResponse,
    finishes: (() => void)[],
): Promise<unknown> {
    const { url = '', method } = request;
    if (url === '/slow') {
        response.write('be');
        finishes.push(() => response.end('gun'));
        return response;
    }
    if (url === '/big') return pipeline(Readable.from(big()), response).catch(() => undefined);
    if (url === '/silent') return response;
    if (url === '/head') {
        response.flushHeaders();
        finishes.push(() => response.end('well'));
        return response;
    }
    if (url === '/cut') {
        response.writeHead(200, { 'content-length': '100' }).write('only this');
        return setImmediate(() => response.destroy());
    }
    if (url === '/rude') {
        response.setHeader('set-cookie', 'session=stolen');
        response.setHeader('access-control-allow-origin', '*');
        response.setHeader('x-internal-fault', 'busy');
        return response.writeHead(418, { 'content-type': 'text/html', etag: '"1"' }).end('<script>1</script>');
    }
    const body = await text(request);
    return json(response, { method, url, headers: request.headers, length: body.length, body: body.slice(0, 100) });
}

describe('ANY /api/tunnels/{tunnelId}/http/{path*}', () => {
    let holder: TestApp;
    let other: TestApp;
    let service: TestService;
    let tunnel: TestTunnel;
    let agent: RunningAgent;
    const finishes: (() => void)[] = [];
    let arrived = 0;
    let closed = 0;

    before(async () => {
        [holder, other] = await startListeningReplicas();
        service = await startService((request, response) => {
            arrived++;
            response.once('close', () => !response.writableFinished && closed++);
            return answer(request, response, finishes);
        });
        tunnel = await newTunnel(holder);
        agent = await connectAgent(holder, tunnel, [service.url]);
    });

    after(async () => {
        await agent.stop();
        await service.stop();
        await Promise.all([holder.stop(), other.stop()]);
    });

    const replicas = (): [string, TestApp][] => [
        ['the holder', holder],
        ['the other replica', other],
    ];
    const baseOf = (app: TestApp) => `${app.server.info.uri}/api/tunnels/${tunnel.tunnelId}/http`;

    it('serves the official ollama client, through either replica', async () => {
        for (const [name, app] of replicas()) {
            const headers = { authorization: `Bearer ${tunnel.tenant.accessToken}` };
            const client = new Ollama({ host: baseOf(app), headers });
            const { models } = await client.list();
            expect(models[0]?.name, name).to.equal('llama3:latest');
            const messages = [{ role: 'user', content: 'The capital of Portugal?' }];
            let said = '';
            const stream = await client.chat({ model: 'llama3', messages, stream: true });
            for await (const { message } of stream) said += message.content;
            expect(said, name).to.equal('Lisbon.');
        }
    });

    it('serves the official openai client, through either replica', async () => {
        for (const [name, app] of replicas()) {
            const client = new OpenAI({
                baseURL: `${baseOf(app)}/v1`,
                apiKey: tunnel.tenant.accessToken,
                maxRetries: 0,
            });
            const models = await client.models.list();
            expect(models.data[0]?.id, name).to.equal('llama3');
            let said = '';
            const stream = await client.chat.completions.create({
                model: 'llama3',
                messages: [{ role: 'user', content: 'The capital of Portugal?' }],
                stream: true,
            });
            for await (const { choices } of stream) said += choices[0]?.delta.content ?? '';
            expect(said, name).to.equal('Lisbon.');
        }
    });

    it('relays any method, with path, query and body as they are', async () => {
        for (const [name, app] of replicas()) {
            for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
                const body = method === 'GET' || method === 'OPTIONS' ? null : `{"of":"${method}"}`;
                const init = { method, ...(body !== null && { body, headers: { 'content-type': 'text/weird' } }) };
                const response = await through(app, tunnel, '/a%20b/c%2Fd?x=1&y=%20', init);
                expect(response.status, `${method} ${name}`).to.equal(200);
                const seen = JSON.parse(await response.text());
                expect(seen, name).to.include({ method, url: '/a%20b/c%2Fd?x=1&y=%20', body: body ?? '' });
                expect(seen.headers.authorization).to.not.exist();
                expect(seen.headers.host).to.equal(new URL(service.url).host);
                expect(Object.keys(seen.headers).filter((header) => header.startsWith('x-internal'))).to.equal([]);
            }
            const head = await through(app, tunnel, '/x', { method: 'HEAD' });
            expect([head.status, await head.text()], name).to.equal([200, '']);
            expect(Number(head.headers.get('content-length')), name).to.be.above(0);
        }
    });

    it('relays a body of unknown length', async () => {
        for (const [name, app] of replicas()) {
            const body = new ReadableStream({
                start(controller) {
                    for (let index = 0; index < 40; index++) controller.enqueue(Buffer.alloc(65_536, 'x'));
                    controller.close();
                },
            });
            const response = await through(app, tunnel, '/x', { method: 'POST', body, duplex: 'half' } as object);
            expect(JSON.parse(await response.text()).length, name).to.equal(40 * 65_536);
        }
    });

    it('gives every piece of an answer as it comes, whatever its type', async () => {
        for (const [name, app] of replicas()) {
            const response = await through(app, tunnel, '/slow', { headers: { 'accept-encoding': 'gzip' } });
            const reader = response.body?.getReader();
            const first = await reader?.read();
            expect(Buffer.from(first?.value ?? []).toString(), name).to.equal('be');
            finishes.pop()?.();
            expect(Buffer.from((await reader?.read())?.value ?? []).toString(), name).to.equal('gun');
        }
    });

    it('gives the head before there is a body', async () => {
        for (const [name, app] of replicas()) {
            const response = await through(app, tunnel, '/head');
            expect(response.status, name).to.equal(200);
            finishes.pop()?.();
            expect(await response.text(), name).to.equal('well');
        }
    });

    it('stops the service when the reader stops, and nobody else', async () => {
        for (const [name, app] of replicas()) {
            const response = await through(app, tunnel, '/big');
            let seen: number;
            do {
                seen = written;
                await sleep(100);
            } while (written > seen);
            expect(written, name).to.be.below(BIG_PIECES / 2);
            expect((await through(app, tunnel, '/api/tags')).status, name).to.equal(200);
            let length = 0;
            let faults = 0;
            for await (const chunk of response.body ?? []) {
                for (let at = 0; at < chunk.length; at += 4_096) {
                    if (chunk[at] !== Math.floor((length + at) / 65_536) % 251) faults++;
                }
                length += chunk.length;
            }
            expect([length, faults], name).to.equal([BIG_PIECES * 65_536, 0]);
        }
    });

    it('lets a service say nothing in the name of the API', async () => {
        for (const [name, app] of replicas()) {
            const response = await through(app, tunnel, '/rude');
            expect(response.status, name).to.equal(418);
            expect(await response.text()).to.equal('<script>1</script>');
            expect(response.headers.get('set-cookie')).to.be.null();
            expect(response.headers.get('access-control-allow-origin')).to.be.null();
            expect(response.headers.get('x-internal-fault')).to.be.null();
            expect(response.headers.get('content-security-policy')).to.equal('sandbox');
            expect([response.headers.get('content-type'), response.headers.get('etag')]).to.equal(['text/html', '"1"']);
        }
    });

    it('cuts the connection when the answer is shorter than it said', async () => {
        for (const [name, app] of replicas()) {
            const response = await through(app, tunnel, '/cut');
            await expect(response.text(), name).to.reject();
        }
    });

    it('cancels at the service when the client goes away', async () => {
        for (const [name, app] of replicas()) {
            for (const path of ['/slow', '/silent']) {
                const client = new AbortController();
                const [before, seen] = [closed, arrived];
                const asked = through(app, tunnel, path, { signal: client.signal });
                if (path === '/slow') await (await asked).body?.getReader().read();
                else await until(() => arrived > seen);
                client.abort();
                await asked.catch(() => undefined);
                await until(() => closed > before);
                expect(closed, `${name} ${path}`).to.equal(before + 1);
            }
        }
    });

    it('refuses a path that leaves the service', async () => {
        for (const [name, app] of replicas()) {
            for (const path of ['/%252e%252e/admin', '/a%5cb', '//elsewhere/', '/a/%2e%2e%2fadmin']) {
                const { status, body } = await app.call('GET', `/api/tunnels/${tunnel.tunnelId}/http${path}`, {
                    token: tunnel.tenant.accessToken,
                });
                expect([status, body.error.code], `${path} ${name}`).to.equal([400, 'MALFORMED_REQUEST']);
            }
        }
    });
});
