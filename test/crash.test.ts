import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import { Redis } from 'ioredis';

import { freePort } from './helpers/free-ports.ts';
import { startProcess, type TestProcess } from './helpers/process.ts';
import { get, newClient, type Client } from './helpers/program.ts';
import { startRedis, type TestRedis } from './helpers/redis.ts';
import { openStream, resumeStream, type OpenStream } from './helpers/stream.ts';
import { messagesPath, type ReceivedEvent } from './helpers/thread.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const STREAMS = 50;
const TENANTS = 3;

const textOf = (events: ReceivedEvent[]): string => events.map(({ data }) => data.token ?? '').join('');

interface Running {
    client: Client;
    path: string;
    stream: OpenStream;
    seen: ReceivedEvent[];
}

describe('a replica that is killed with kill -9 in the middle of 50 streams', () => {
    let redis: TestRedis;
    let first: TestProcess;
    let second: TestProcess;
    let admin: Redis;
    let running: Running[];

    before(async () => {
        const port = await freePort();
        redis = await startRedis(['--port', String(port)]);
        admin = new Redis(redis.path);
        const shared = {
            REDIS_URL: `redis://127.0.0.1:${port}`,
            JWT_KEYS: 'k1:a secret of a test that is long enough to be one',
            VAULT_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
            SANDBOX_TOKEN_DELAY_MS: '20',
        };
        [first, second] = await Promise.all([startProcess(shared), startProcess(shared)]);
        const clients: Client[] = [];
        for (let n = 0; n < TENANTS; n++) {
            const client = await newClient(first.url, `tenant${n}.example`);
            await admin.hset(`tenant:{${client.tenantId}}:info`, 'plan', 'enterprise');
            clients.push(client);
        }
        running = await Promise.all(
            Array.from({ length: STREAMS }, async (_, n) => {
                const client = clients[n % TENANTS] as Client;
                const path = messagesPath(client.thread);
                const stream = await openStream({
                    url: first.url + path,
                    token: client.token,
                    payload: { content: 'Please count to 4000' },
                });
                const seen = await stream.until(({ data }) => data.token === ' 10');
                return { client, path: `${path}/${seen[0]?.data.messageId}`, stream, seen };
            }),
        );
        await first.stop('SIGKILL');
    });

    after(async () => {
        await second.stop();
        admin.disconnect();
        await redis.stop();
    });

    it('leaves 50 answers, interrupted, each with every token that was sent out', { timeout: 120_000 }, async () => {
        const ends = await Promise.all(
            running.map(async ({ client, path, stream }) => {
                // What the client had until its connection broke.
                const seen = await stream.rest().catch(() => stream.received());
                const resumed = await resumeStream(`${second.url}${path}/stream`, client.token, seen.at(-1)?.id);
                return { client, path, seen, rest: await resumed.rest() };
            }),
        );
        for (const { client, path, seen, rest } of ends) {
            expect(rest.slice(-2).map(({ event }) => event)).to.equal(['error', 'close']);
            expect(rest.at(-2)?.data.error.code).to.equal('ANSWER_INTERRUPTED');
            const ids = [...seen, ...rest].map(({ id }) => Number(id));
            expect(ids).to.equal(ids.map((_, at) => at));
            const { message } = (await get(second.url + path, client.token)).body.data;
            expect(message).to.include({ status: 'interrupted', errorCode: 'ANSWER_INTERRUPTED' });
            expect(message.content).to.equal(textOf([...seen, ...rest]));
            expect(String(message.content)).to.startWith('1 2 3 4 5 6 7 8 9 10');
            expect(message.usage).to.include({ isEstimated: true });
            expect(Number(message.usage.output)).to.be.at.least(5);
        }
        const client = ends[0]?.client as Client;
        const { messages } = (await get(`${second.url}${messagesPath(client.thread)}?limit=200`, client.token)).body
            .data;
        const statuses = messages.filter(({ role }: { role: string }) => role === 'assistant').map(statusOf);
        expect(new Set(statuses)).to.equal(new Set(['interrupted']));
        expect(await admin.zcard('tenant:{platform}:answers')).to.equal(0);
    });

    it('lets the same users go on at once', async () => {
        const { client } = running[0] as Running;
        const url = second.url + messagesPath(client.thread);
        const stream = await openStream({ url, token: client.token, payload: { content: 'Please count to 3' } });
        expect(textOf(await stream.rest())).to.equal('1 2 3');
    });
});

const statusOf = ({ status }: { status: string }): string => status;
