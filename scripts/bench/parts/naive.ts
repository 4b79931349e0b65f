import { randomBytes } from 'node:crypto';

import Jwt from '@hapi/jwt';

import { median, ratioFigures } from '../figures.ts';
import { load, type LoadRequest } from '../load.ts';

import type { Contestant } from '../contestant.ts';
import type { Part } from '../scene.ts';

const ROUNDS = 5;
const WARM_UP_MS = 5_000;
const SLICE_MS = 1_500;
const CONNECTIONS = 48;

interface Side {
    contestant: Contestant;
    requests: LoadRequest[];
}

const requestOf = (threadId: string, token: string): LoadRequest => ({
    method: 'GET',
    path: `/api/threads/${threadId}`,
    headers: { authorization: `Bearer ${token}` },
});

/** Reads of one record by the API beside those of what a team would write first, with as many users. */
export const measureNaive: Part = async ({ api, users, socket, start }) => {
    const SECRET = randomBytes(32).toString('hex');
    const environment = { REDIS_SOCKET: socket, SECRET, USERS: String(users.length) };
    const naive = await start('dist/scripts/bench/processes/naive.js', environment);
    const claimsOf = (n: number) => ({ sub: `user_${n}`, sid: `sess_${n}`, jti: `jti_${n}` });
    const sides = {
        api: { contestant: api, requests: users.map(({ threadId, token }) => requestOf(threadId, token)) },
        naive: {
            contestant: naive,
            requests: users.map((_, n) => requestOf(`thread_${n}`, Jwt.token.generate(claimsOf(n), SECRET))),
        },
    };
    await slice(sides.naive, WARM_UP_MS);
    await slice(sides.api, WARM_UP_MS);
    const rounds = [];
    for (let round = 0; round < ROUNDS; round++) {
        rounds.push({ naive: await slice(sides.naive, SLICE_MS), api: await slice(sides.api, SLICE_MS) });
    }
    await naive.stop();
    return {
        'read / naive hapi': {
            ...ratioFigures(rounds.map((round) => round.api.perSecond / round.naive.perSecond)),
            api: median(rounds.map((round) => round.api.perSecond)),
            naive: median(rounds.map((round) => round.naive.perSecond)),
            µs: median(rounds.map((round) => round.api.micros)),
            'µs naive': median(rounds.map((round) => round.naive.micros)),
        },
    };
};

async function slice({ contestant: { url, cpuSeconds }, requests }: Side, milliseconds: number) {
    let turn = Math.floor(Math.random() * requests.length);
    const next = (): LoadRequest => {
        const request = requests[turn++ % requests.length];
        if (!request) throw new RangeError('There are no users');
        return request;
    };
    const before = cpuSeconds() ?? NaN;
    const expects = '"id":"thread_';
    const { answered, perSecond, wrong } = await load(url, next, { connections: CONNECTIONS, milliseconds, expects });
    if (wrong !== null) throw new Error(`A wrong answer: ${wrong}`);
    return { perSecond, micros: (((cpuSeconds() ?? NaN) - before) / answered) * 1e6 };
}
