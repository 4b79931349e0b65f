import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import { Redis } from 'ioredis';

import { temporaryFolder } from './helpers/folder.ts';
import { freePort } from './helpers/free-ports.ts';
import { startProcess, type TestProcess } from './helpers/process.ts';
import { get, newClient, post, type Client } from './helpers/program.ts';
import { startRedis } from './helpers/redis.ts';
import { openStream } from './helpers/stream.ts';
import { messagesPath } from './helpers/thread.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const startCounting = (program: TestProcess, { token, thread }: Client, to: number) =>
    openStream({
        url: `${program.url}${messagesPath(thread)}`,
        token,
        payload: { content: `count to ${to}` },
    });

const isToken = ({ event }: { event: string }) => event === 'token';

describe('the program', () => {
    it('finishes a running stream when it is told to stop, and takes no new connection meanwhile', async () => {
        const program = await startProcess({ SANDBOX_TOKEN_DELAY_MS: '20', SHUTDOWN_TIMEOUT: '20' });
        const client = await newClient(program.url);
        const stream = await startCounting(program, client, 50);
        await stream.until(isToken);
        const stopped = program.stop('SIGTERM');
        const events = stream.rest();
        await stream.until(({ data }) => data.token === ' 20');
        const refused = await fetch(`${program.url}/health/live`).catch((error: Error) => error);
        expect(refused).to.be.an.error();
        expect((await events).filter(isToken)).to.have.length(50);
        expect((await events).at(-2)?.event).to.equal('message_complete');
        expect(await stopped).to.equal({ code: 0 });
    });

    it('does what it was asked for before, although the rest of the request comes when it stops', async () => {
        const program = await startProcess({ SHUTDOWN_TIMEOUT: '20' });
        const { token, thread } = await newClient(program.url);
        const headers = {
            authorization: `Bearer ${token}`,
            'content-type': 'application/json',
            expect: '100-continue',
        };
        const request = httpRequest(program.url + messagesPath(thread), { method: 'POST', headers });
        request.flushHeaders();
        await once(request, 'continue');
        const stopped = program.stop('SIGTERM');
        while (!program.output().stdout.includes('"stopping"')) await sleep(1);
        request.end(JSON.stringify({ content: 'Hello' }));
        const [answer] = (await once(request, 'response')) as [IncomingMessage];
        expect([answer.statusCode, await text(answer)]).to.include(200);
        expect(await stopped).to.equal({ code: 0 });
    });

    it('takes all requests for a while after it is told to stop, and says that it will not for long', async () => {
        const program = await startProcess({ SANDBOX_TOKEN_DELAY_MS: '20', SHUTDOWN_DELAY: '8' });
        const { url } = program;
        const client = await newClient(url);
        const kept = await fetch(`${url}/health/ready`);
        expect([kept.status, kept.headers.get('connection')]).to.equal([200, 'keep-alive']);
        const stopped = program.stop('SIGTERM');
        let ready = kept;
        while (ready.status === 200) ready = await fetch(`${url}/health/ready`);
        expect([ready.status, ready.headers.get('connection')]).to.equal([503, 'close']);
        const { status } = await get(`${url}/api/threads/${client.thread}`, client.token);
        expect(status).to.equal(200);
        const stream = await startCounting(program, client, 50);
        const events = await stream.rest();
        expect(stream.headers.get('connection')).to.equal('close');
        expect(events.at(-2)?.event).to.equal('message_complete');
        expect(await stopped).to.equal({ code: 0 });
    });

    it('interrupts what does not end in time, keeps what was sent out, and still ends with 0', async () => {
        const folder = temporaryFolder();
        const program = await startProcess({
            DATA_DIR: folder,
            SANDBOX_TOKEN_DELAY_MS: '20',
            SHUTDOWN_TIMEOUT: '2',
        });
        const client = await newClient(program.url);
        const stream = await startCounting(program, client, 4_000);
        await stream.until(isToken);
        const began = Date.now();
        const stopped = program.stop('SIGTERM');
        const events = await stream.rest();
        expect(await stopped).to.equal({ code: 0 });
        // All that it was asked for takes 80 seconds.
        expect(Date.now() - began).to.be.below(40_000);
        expect(events.at(-2)?.data.error.code).to.equal('SHUTTING_DOWN');

        const again = await startProcess({ DATA_DIR: folder });
        const { body } = await get(`${again.url}${messagesPath(client.thread)}`, client.token);
        const sent = events.map(({ data }) => data.token ?? '').join('');
        expect(body.data.messages[0]).to.include({ status: 'interrupted', content: sent, errorCode: 'SHUTTING_DOWN' });
        await again.stop();
    });

    it('has everything after kill -9 and a new start in the same directory', async () => {
        const folder = temporaryFolder();
        const program = await startProcess({ DATA_DIR: folder });
        const client = await newClient(program.url);
        await post(`${program.url}${messagesPath(client.thread)}`, { content: 'Remember me' }, client.token);
        await program.stop('SIGKILL');

        const again = await startProcess({ DATA_DIR: folder });
        const { status, body } = await get(`${again.url}${messagesPath(client.thread)}?order=asc`, client.token);
        expect(status).to.equal(200);
        expect(body.data.messages).to.have.length(2);
        expect(body.data.messages[0].content).to.equal('Remember me');
        expect(await again.stop()).to.equal({ code: 0 });
    });

    it('names every key under its tenant', async () => {
        const folder = temporaryFolder();
        const program = await startProcess({ DATA_DIR: folder });
        const client = await newClient(program.url);
        const stream = await startCounting(program, client, 5);
        await stream.rest();
        await post(`${program.url}/api/login`, { username: 'ada@acme.example', password: 'wrong' });
        await post(`${program.url}/api/login`, {
            username: 'ada@acme.example',
            password: 'correct horse battery staple',
        });
        await post(`${program.url}/api/logout`, {}, client.token);
        const redis = new Redis(`${folder}/redis.sock`);
        const keys = await redis.keys('*');
        redis.disconnect();
        expect(keys.length).to.be.above(15);
        expect(keys.filter((key) => !/^tenant:\{[A-Za-z0-9_]+\}:./.test(key))).to.equal([]);
        await program.stop();
    });

    it('serves the same tenants from two replicas on one Redis', async () => {
        const port = await freePort();
        const redis = await startRedis(['--port', String(port)]);
        const shared = {
            REDIS_URL: `redis://127.0.0.1:${port}`,
            JWT_KEYS: 'k1:a secret of a test that is long enough to be one',
            VAULT_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
        };
        const [first, second] = await Promise.all([startProcess(shared), startProcess(shared)]);
        const client = await newClient(first.url);
        expect((await get(`${second.url}/api/threads/${client.thread}`, client.token)).status).to.equal(200);
        await post(`${second.url}/api/logout`, {}, client.token);
        const late = await get(`${first.url}/api/threads/${client.thread}`, client.token);
        expect([late.status, late.body.error.code]).to.equal([401, 'SESSION_ENDED']);
        await Promise.all([first.stop(), second.stop()]);
        await redis.stop();
    });
});
