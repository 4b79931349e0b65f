import { join } from 'node:path';

import { Redis } from 'ioredis';
import { Client } from 'undici';

import { anyOf, plantTenant, RARE_WORDS, type GrownTenant } from './growth-tenant.ts';
import { startEmbeddedRedis, type EmbeddedRedis } from '../../../src/redis/embedded.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import { median, ratioFigures, type Figures } from '../figures.ts';
import { freePort } from '../free-port.ts';
import { MODELS, type Part } from '../scene.ts';

import type { Contestant } from '../contestant.ts';
import type { Ground, SeededUser } from '../seed.ts';

const SIZES = [100, 10_000, 1_000_000];
const ROUNDS = 11;
const WARM_UP_ROUNDS = 3;

/** One operation: as often as its rate limit lets one user do it at once. */
interface Operation {
    times: number;
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
    /** As the limit is counted. */
    route: string;
    path: (tenant: GrownTenant) => string;
    body?: object;
    /** How many records the answer has. */
    found?: number;
    as?: (tenant: GrownTenant) => SeededUser;
    done?: (tenant: GrownTenant, answer: Answer) => void;
}

// oxlint-disable-next-line typescript/no-explicit-any -- a wrong answer ends the run
type Answer = any;

const any = <T>(list: T[]): T => list[Math.floor(Math.random() * list.length)] as T;
const number = ({ size }: GrownTenant): number => anyOf(size);
const digits = (tenant: GrownTenant): string => String(number(tenant)).padStart(12, '0');
const threadOf = (tenant: GrownTenant): string => `/api/threads/${tenant.threadId(number(tenant))}`;
const THREADS = '/api/threads';
const MESSAGES = '/api/threads/{threadId}/models/{modelId}/messages';
const messagesOf = ({ admin }: GrownTenant) => `/api/threads/${admin.threadId}/models/${MODELS.free}/messages`;

const get = (route: string, path: Operation['path'], found?: number): Operation => ({
    times: 20,
    method: 'GET',
    route,
    path,
    ...(found !== undefined && { found }),
});

const OPERATIONS: Record<string, Operation> = {
    'a request of any user': { ...get(THREADS, () => THREADS, 0), as: ({ visitors }) => any(visitors) },
    'read a thread': get('/api/threads/{threadId}', threadOf),
    'list 20 threads': get(THREADS, () => `${THREADS}?limit=20`, 20),
    'list 20 threads from the middle': get(THREADS, (tenant) => `${THREADS}?limit=20&cursor=${tenant.middle()}`, 20),
    'search threads, one has the word': get(THREADS, () => `${THREADS}?limit=20&q=${any(RARE_WORDS)}`, 1),
    'search threads, all have the word': get(THREADS, () => `${THREADS}?limit=20&q=thread`, 20),
    'create a thread': {
        times: 5,
        method: 'POST',
        route: THREADS,
        path: () => THREADS,
        body: { title: 'Thread of today' },
        done: ({ created }, { data }) => created.push(data.thread.id),
    },
    'rename a thread': {
        times: 10,
        method: 'PATCH',
        route: '/api/threads/{threadId}/title',
        path: (tenant) => `${threadOf(tenant)}/title`,
        body: { title: 'Thread of yesterday' },
    },
    'delete a thread': {
        times: 5,
        method: 'DELETE',
        route: '/api/threads/{threadId}',
        path: ({ created }) => `${THREADS}/${created.shift() ?? ''}`,
    },
    'list 20 messages': get(MESSAGES, (tenant) => `${messagesOf(tenant)}?limit=20`, 20),
    'send a message': { times: 5, method: 'POST', route: MESSAGES, path: messagesOf, body: { content: 'go' } },
    'list 20 users': get('/api/users', () => '/api/users?limit=20', 20),
    'search users': get('/api/users', (tenant) => `/api/users?limit=20&q=user${digits(tenant)}`, 1),
    'change a user': {
        times: 10,
        method: 'PATCH',
        route: '/api/users/{userId}',
        path: (tenant) => `/api/users/${tenant.userId(number(tenant))}`,
        body: { displayName: 'Another name' },
    },
    'list 20 audit entries': get('/api/audit', () => '/api/audit?limit=20', 20),
    'list 20 movements of credits': get('/api/billing/history', () => '/api/billing/history?limit=20', 20),
};

/** What one request took: at its client, and of the processor in Redis. */
interface Cost {
    millis: number;
    redisMicros: number;
}

/**
 * What an operation costs in a tenant with a million records beside one with a hundred, in slices that alternate: the
 * time of a request, one after the other, and the processor time of Redis.
 */
export const measureGrowth: Part = async ({ folder, startAnother }) => {
    const redis = await startEmbeddedRedis(join(folder, 'growth'), createLogger({ level: 'silent', pretty: false }));
    try {
        // Without a worker, which would follow what is seeded for minutes and be measured with it.
        const settings = { ROLE: 'api', REDIS_URL: `redis://127.0.0.1:${await openPort(redis)}` };
        const { api, ground } = await startAnother('growth', settings, 0);
        const figures = await compareAll(api, ground);
        ground.close();
        await api.stop();
        return figures;
    } finally {
        await redis.stop();
    }
};

/** A server of ours has none, and a process that is API only must be told where its Redis is. */
async function openPort({ path }: EmbeddedRedis): Promise<number> {
    const port = await freePort();
    const redis = new Redis(path);
    await redis.config('SET', 'port', String(port));
    // Nothing is written down of what was seeded while requests are measured.
    await redis.config('SET', 'save', '');
    await redis.config('SET', 'appendonly', 'no');
    await redis.config('SET', 'maxmemory', '0');
    redis.disconnect();
    return port;
}

async function compareAll({ url }: Contestant, ground: Ground): Promise<Record<string, Figures>> {
    const grow = [];
    for (const size of SIZES) grow.push(await plantTenant(ground, size));
    const tenants: GrownTenant[] = [];
    for (const one of grow) tenants.push(await one());
    const client = new Client(url);
    const figures: Record<string, Figures> = {};
    for (const [name, operation] of Object.entries(OPERATIONS)) {
        figures[`growth: ${name}`] = await compare(client, ground, tenants, operation);
    }
    await client.close();
    return figures;
}

async function compare(client: Client, ground: Ground, tenants: GrownTenant[], operation: Operation): Promise<Figures> {
    const rounds: Cost[][] = [];
    for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
        const costs = [];
        for (const tenant of tenants) costs.push(await slice(client, ground, tenant, operation));
        if (round >= WARM_UP_ROUNDS) rounds.push(costs);
    }
    const of = (at: number, what: keyof Cost) => rounds.map((costs) => costs[at]?.[what] ?? NaN);
    const ratios = (what: keyof Cost) => of(2, what).map((cost, round) => cost / (of(0, what)[round] ?? NaN));
    return {
        ...ratioFigures(ratios('millis')),
        'ratio in Redis': median(ratios('redisMicros')),
        'ms 10²': median(of(0, 'millis')),
        'ms 10⁴': median(of(1, 'millis')),
        'ms 10⁶': median(of(2, 'millis')),
        'µs in Redis 10²': median(of(0, 'redisMicros')),
        'µs in Redis 10⁴': median(of(1, 'redisMicros')),
        'µs in Redis 10⁶': median(of(2, 'redisMicros')),
    };
}

async function slice(client: Client, ground: Ground, tenant: GrownTenant, operation: Operation): Promise<Cost> {
    const { times, method, route, path, body, found, done, as = () => tenant.admin } = operation;
    // The next ones are not meant to meet the limit of these.
    const bucket = `${method.toLowerCase()} ${route}`;
    await ground.redis.unlink(tenantKey(tenant.tid, 'rate', bucket, tenant.admin.userId));
    const millis: number[] = [];
    const before = await redisMicros(ground);
    for (let n = 0; n < times; n++) {
        const began = performance.now();
        const headers = { authorization: `Bearer ${as(tenant).token}`, 'content-type': 'application/json' };
        const answer = await client.request({
            path: path(tenant),
            method,
            headers,
            body: body ? JSON.stringify(body) : null,
        });
        const text = await answer.body.text();
        millis.push(performance.now() - began);
        if (answer.statusCode >= 300) throw new Error(`A wrong answer: ${answer.statusCode} ${text}`);
        const parsed: Answer = text === '' ? null : JSON.parse(text);
        if (found !== undefined && recordsIn(parsed) !== found) throw new Error(`Not ${found} records: ${text}`);
        done?.(tenant, parsed);
    }
    return { millis: median(millis), redisMicros: ((await redisMicros(ground)) - before) / times };
}

/** The one list that the answer has. */
const recordsIn = ({ data }: Answer): number => {
    const list: unknown = Object.values(data as object).find((value) => Array.isArray(value));
    return Array.isArray(list) ? list.length : NaN;
};

/** The processor time of what answers requests in Redis. */
async function redisMicros({ redis }: Ground): Promise<number> {
    const told = await redis.info('cpu');
    const seconds = [...told.matchAll(/^used_cpu_(?:sys|user)_main_thread:(\S+)/gm)].map(([, figure]) =>
        Number(figure),
    );
    return seconds.reduce((sum, each) => sum + each, 0) * 1e6;
}
