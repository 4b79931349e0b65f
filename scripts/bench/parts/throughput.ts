import { median, ratioFigures, type Figures } from '../figures.ts';
import { load, type LoadRequest } from '../load.ts';

import type { Contestant } from '../contestant.ts';
import type { Part, Scene } from '../scene.ts';
import type { SeededUser } from '../seed.ts';

const ROUNDS = 5;
const WARM_UP_MS = 6_000;
const SLICE_MS = 1_200;
const CONNECTIONS = 48;

/** What is asked of the API and of its floor, and what the answer of either has in it. */
interface Request {
    of: (user: SeededUser) => LoadRequest;
    expects: string;
}

const authorized = (token: string) => ({ authorization: `Bearer ${token}`, 'content-type': 'application/json' });

/** Requests per second of the API beside those of the floor, and the processor time of one, in slices that alternate. */
export const measureRead: Part = async (scene) => ({
    read: await compare(scene, 'read', {
        of: ({ token, threadId }) => ({ method: 'GET', path: `/api/threads/${threadId}`, headers: authorized(token) }),
        expects: '"id":"thread_',
    }),
});

/** The same for a page of 20. */
export const measureList: Part = async (scene) => ({
    list: await compare(scene, 'list', {
        of: ({ token }) => ({ method: 'GET', path: '/api/threads', headers: authorized(token) }),
        expects: '"id":"thread_',
    }),
});

/** The same for a record that is made. */
export const measureCreate: Part = async (scene) => ({
    create: await compare(scene, 'create', {
        of: ({ token }) => ({
            method: 'POST',
            path: '/api/threads',
            headers: authorized(token),
            body: '{"title":"A thread"}',
        }),
        expects: '"id":"thread_',
    }),
});

async function compare({ api, users, socket, start }: Scene, work: string, { of, expects }: Request): Promise<Figures> {
    const floor = await start('dist/scripts/bench/processes/floor.js', { REDIS_SOCKET: socket, WORK: work });
    let turn = 0;
    const next = (): LoadRequest => {
        const user = users[turn++ % users.length];
        if (!user) throw new RangeError('There are no users');
        return of(user);
    };
    const slice = async ({ url, cpuSeconds }: Contestant, milliseconds: number) => {
        const before = cpuSeconds() ?? NaN;
        const { answered, perSecond, wrong } = await load(url, next, {
            connections: CONNECTIONS,
            milliseconds,
            expects,
        });
        if (wrong !== null) throw new Error(`A wrong answer: ${wrong}`);
        return { perSecond, micros: (((cpuSeconds() ?? NaN) - before) / answered) * 1e6 };
    };
    await slice(floor, WARM_UP_MS / 2);
    await slice(api, WARM_UP_MS);
    const rounds = [];
    for (let round = 0; round < ROUNDS; round++) {
        rounds.push({ floor: await slice(floor, SLICE_MS), api: await slice(api, SLICE_MS) });
    }
    await floor.stop();
    return {
        ...ratioFigures(rounds.map((round) => round.api.perSecond / round.floor.perSecond)),
        api: median(rounds.map((round) => round.api.perSecond)),
        floor: median(rounds.map((round) => round.floor.perSecond)),
        µs: median(rounds.map((round) => round.api.micros)),
        'µs floor': median(rounds.map((round) => round.floor.micros)),
    };
}
