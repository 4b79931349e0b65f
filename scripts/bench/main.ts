/** `npm run bench`: what the API costs beside the floor, as ratios of slices that were measured in turn. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Redis } from 'ioredis';

import { startContestant } from './contestant.ts';
import { load, type LoadRequest } from './load.ts';
import { seed } from './seed.ts';

const USERS = 4_000;
const ROUNDS = 7;
const WARM_UP_MS = 6_000;
const SLICE_MS = 2_000;
const CONNECTIONS = 48;
const RECORD = JSON.stringify({ success: true, data: { thread: { id: 'x'.repeat(33), title: 'A thread' } } });

interface Part {
    name: string;
    request: (user: { token: string; threadId: string }) => LoadRequest;
}

const authorized = (token: string) => ({ authorization: `Bearer ${token}`, 'content-type': 'application/json' });
const PARTS: Part[] = [
    {
        name: 'read',
        request: ({ token, threadId }) => ({
            method: 'GET',
            path: `/api/threads/${threadId}`,
            headers: authorized(token),
        }),
    },
    {
        name: 'list',
        request: ({ token }) => ({ method: 'GET', path: '/api/threads', headers: authorized(token) }),
    },
    {
        name: 'create',
        request: ({ token }) => ({
            method: 'POST',
            path: '/api/threads',
            headers: authorized(token),
            body: '{"title":"A thread"}',
        }),
    },
];

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

const only = process.argv.find((argument) => argument.startsWith('--only='))?.slice('--only='.length);
const folder = mkdtempSync(join(tmpdir(), 'bench-'));
const keys = {
    jwt: `bench:${randomBytes(48).toString('base64url')}`,
    vault: `bench:${randomBytes(32).toString('base64')}`,
};
const socket = join(folder, 'redis.sock');
const api = await startContestant('dist/src/main.js', {
    NODE_ENV: 'production',
    PLATFORM_ADMIN_PASSWORD: randomBytes(16).toString('hex'),
    HOST: '127.0.0.1',
    PORT: '0',
    DATA_DIR: folder,
    JWT_KEYS: keys.jwt,
    VAULT_KEYS: keys.vault,
    LOG_PRETTY: 'false',
    REQUIRE_HTTPS: 'false',
});
const redis = new Redis(socket);
await redis.set('bench:record', RECORD);
const floor = await startContestant('dist/scripts/bench/floor.js', { REDIS_SOCKET: socket });
const users = await seed(socket, keys, USERS);

const results: Record<string, { ratio: number; least: number; most: number; api: number; floor: number }> = {};
for (const { name, request } of PARTS.filter((part) => only === undefined || part.name === only)) {
    let turn = 0;
    const next = (): LoadRequest => {
        const user = users[turn++ % users.length];
        if (!user) throw new RangeError('There are no users');
        return request(user);
    };
    const slice = async (url: string, milliseconds: number): Promise<number> => {
        const { perSecond, wrong } = await load(url, next, { connections: CONNECTIONS, milliseconds });
        if (wrong !== null) throw new Error(`${name}: a wrong answer: ${wrong}`);
        return perSecond;
    };
    await slice(floor.url, WARM_UP_MS / 2);
    await slice(api.url, WARM_UP_MS);
    const rounds: { api: number; floor: number }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
        rounds.push({ floor: await slice(floor.url, SLICE_MS), api: await slice(api.url, SLICE_MS) });
    }
    const ratios = rounds.map((round) => round.api / round.floor);
    results[name] = {
        ratio: median(ratios),
        least: Math.min(...ratios),
        most: Math.max(...ratios),
        api: median(rounds.map((round) => round.api)),
        floor: median(rounds.map((round) => round.floor)),
    };
}

redis.disconnect();
await floor.stop();
await api.stop();
rmSync(folder, { recursive: true });
const rounded = Object.entries(results).map(([name, figures]) => [
    name,
    Object.fromEntries(Object.entries(figures).map(([key, value]) => [key, Number(value.toFixed(value < 10 ? 3 : 0))])),
]);
console.table(Object.fromEntries(rounded));
writeFileSync('bench.json', `${JSON.stringify(results, null, 4)}\n`);
