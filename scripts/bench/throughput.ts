import { Redis } from 'ioredis';

import { startContestant, type Contestant } from './contestant.ts';
import { median, ratioFigures, type Figures } from './figures.ts';
import { load, type LoadRequest } from './load.ts';

import type { SeededUser } from './seed.ts';

const ROUNDS = 7;
const WARM_UP_MS = 6_000;
const SLICE_MS = 2_000;
const CONNECTIONS = 48;
const RECORD = JSON.stringify({ success: true, data: { thread: { id: 'x'.repeat(33), title: 'A thread' } } });

type RequestOf = (user: SeededUser) => LoadRequest;

const authorized = (token: string) => ({ authorization: `Bearer ${token}`, 'content-type': 'application/json' });

/** What is asked for by the name of the part. */
export const REQUESTS: Record<string, RequestOf> = {
    read: ({ token, threadId }) => ({ method: 'GET', path: `/api/threads/${threadId}`, headers: authorized(token) }),
    list: ({ token }) => ({ method: 'GET', path: '/api/threads', headers: authorized(token) }),
    create: ({ token }) => ({
        method: 'POST',
        path: '/api/threads',
        headers: authorized(token),
        body: '{"title":"A thread"}',
    }),
};

/** Requests per second of the API beside those of the floor, in slices that alternate; a row for each request. */
export async function measureThroughput(
    requests: [name: string, request: RequestOf][],
    { api, users, socket }: { api: Contestant; users: SeededUser[]; socket: string },
): Promise<Record<string, Figures>> {
    const redis = new Redis(socket);
    await redis.set('bench:record', RECORD);
    redis.disconnect();
    const floor = await startContestant('dist/scripts/bench/floor.js', { REDIS_SOCKET: socket });
    const results: Record<string, Figures> = {};
    try {
        for (const [name, request] of requests) results[name] = await compare(request, users, { api, floor });
    } finally {
        await floor.stop();
    }
    return results;
}

async function compare(
    request: RequestOf,
    users: SeededUser[],
    { api, floor }: { api: Contestant; floor: Contestant },
): Promise<Figures> {
    let turn = 0;
    const next = (): LoadRequest => {
        const user = users[turn++ % users.length];
        if (!user) throw new RangeError('There are no users');
        return request(user);
    };
    const slice = async ({ url }: Contestant, milliseconds: number): Promise<number> => {
        const { perSecond, wrong } = await load(url, next, { connections: CONNECTIONS, milliseconds });
        if (wrong !== null) throw new Error(`A wrong answer: ${wrong}`);
        return perSecond;
    };
    await slice(floor, WARM_UP_MS / 2);
    await slice(api, WARM_UP_MS);
    const rounds: { api: number; floor: number }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
        rounds.push({ floor: await slice(floor, SLICE_MS), api: await slice(api, SLICE_MS) });
    }
    return {
        ...ratioFigures(rounds.map((round) => round.api / round.floor)),
        api: median(rounds.map((round) => round.api)),
        floor: median(rounds.map((round) => round.floor)),
    };
}
