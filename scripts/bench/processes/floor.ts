/**
 * The floor: bare node:http with ONE script call, which checks what a request is let in by, spends its rate and its
 * quota, and reads a record, reads a page of 20 or makes a record, all as JSON strings. It does nothing else of what
 * the API does.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';

import { Redis } from 'ioredis';

import type { AddressInfo } from 'node:net';

const CHECK = `
if redis.call('EXISTS', '{bench}:revoked') == 1 then return nil end
if redis.call('HMGET', '{bench}:tenant', 'status', 'plan')[1] ~= 'active' then return nil end
if redis.call('HMGET', '{bench}:session', 'userId', 'createdAt')[1] ~= 'user' then return nil end
if redis.call('HMGET', '{bench}:user', 'isActive', 'role')[1] ~= '1' then return nil end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local arrival = math.max(tonumber(redis.call('GET', '{bench}:rate') or 0), now) + 1
if arrival - now > 60000000 then return nil end
redis.call('SET', '{bench}:rate', string.format('%d', arrival), 'PX', 60000)
redis.call('HINCRBY', '{bench}:quota', 'requests', 1)
`;
const SCRIPTS: Record<string, string> = {
    read: `${CHECK} return redis.call('GET', KEYS[1])`,
    list: `${CHECK} return redis.call('MGET', unpack(redis.call('ZREVRANGE', '{bench}:records', 0, 19)))`,
    create: `${CHECK}
        redis.call('SET', KEYS[1], ARGV[1], 'EX', 600)
        redis.call('ZADD', '{bench}:made', ARGV[2], KEYS[1])
        return ARGV[1]`,
};
const { WORK = '', REDIS_SOCKET = '' } = process.env;

interface FloorRedis {
    work: (key: string, record: string, at: number) => Promise<string | string[] | null>;
}

const redis = new Redis(REDIS_SOCKET);
redis.defineCommand('work', { lua: SCRIPTS[WORK] ?? '', numberOfKeys: 1 });
const { work } = redis as Redis & FloorRedis;
const record = (title: string): string => {
    const at = new Date().toISOString();
    const id = `thread_${randomUUID()}`;
    return JSON.stringify({ id, title, messageCount: 0, models: [], lastMessage: null, createdAt: at, updatedAt: at });
};
await redis.hset('{bench}:tenant', { status: 'active', plan: 'enterprise' });
await redis.hset('{bench}:session', { userId: 'user', createdAt: 1 });
await redis.hset('{bench}:user', { isActive: '1', role: 'user' });
for (let n = 0; n < 20; n++) {
    await redis.set(`{bench}:record:${n}`, record('A thread'));
    await redis.zadd('{bench}:records', n, `{bench}:record:${n}`);
}

/** The data of an answer. */
const answers: Record<string, (request: IncomingMessage) => Promise<string>> = {
    read: async () => `{"thread":${String(await work.call(redis, '{bench}:record:0', '', 0))}}`,
    list: async () => `{"threads":[${String(await work.call(redis, '', '', 0))}]}`,
    create: async (request) => {
        const { title } = JSON.parse(await text(request)) as { title: string };
        return `{"thread":${String(await work.call(redis, `{bench}:record:${randomUUID()}`, record(title), Date.now()))}}`;
    },
};
const answer = answers[WORK];
if (!answer) throw new Error(`There is no work ${WORK}`);

const server = createServer((request, response) => {
    void answer(request).then((data) => {
        const body = `{"success":true,"data":${data}}`;
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
        response.end(body);
    });
});
server.listen(0, '127.0.0.1', () => {
    process.stdout.write(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
