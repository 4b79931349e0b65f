import { setTimeout as sleep } from 'node:timers/promises';

import { Agent, type Dispatcher } from 'undici';

import { median, ratioFigures, type Figures } from '../figures.ts';
import { MODELS, type Part } from '../scene.ts';

import type { Contestant } from '../contestant.ts';
import type { SeededUser } from '../seed.ts';

const ROUNDS = 9;
const TURNS = 20;
const WARM_UP = 200;
const IDLE = 1_000;
const SETTLE_MS = 3_000;
const PATIENCE_MS = 30_000;
/** The path that a request takes to the model. */
const WAYS = ['direct', 'relay', 'v1', 'thread', 'paid'] as const;
type Way = (typeof WAYS)[number];

interface StreamRequest {
    url: string;
    path: string;
    body: object;
    token: string;
}

/**
 * How much later the first token of a stream comes than from the model itself, by `/v1` and in a thread, beside what a
 * bare relay adds; by `/v1` when it is paid, beside what it adds when it costs nothing; and what an open stream that is
 * silent takes of the process's memory.
 */
export const measureStreams: Part = async ({ api, upstream, users, start }) => {
    const relay = await start('dist/scripts/bench/processes/relay.js', { UPSTREAM: upstream.url });
    const urls = { direct: upstream.url, relay: relay.url, v1: api.url, thread: api.url, paid: api.url };
    const dispatcher = new Agent({ bodyTimeout: 0 });
    let turn = 0;
    const open = (way: Way, content: string) => {
        const user = users[turn++ % users.length];
        if (!user) throw new RangeError('There are no users');
        return openStream(dispatcher, requestOf(way, urls[way], user, content));
    };
    try {
        const first = await measureFirstToken(async (way) => {
            const began = performance.now();
            const body = await open(way, 'go');
            const took = performance.now() - began;
            await body.dump();
            return took;
        });
        return { ...first, 'idle stream': await measureMemory(api, () => open('thread', 'hold')) };
    } finally {
        await dispatcher.destroy();
        await relay.stop();
    }
};

function requestOf(way: Way, url: string, { token, threadId }: SeededUser, content: string): StreamRequest {
    if (way === 'thread') {
        const path = `/api/threads/${threadId}/models/${MODELS.free}/messages`;
        return { url, path, token, body: { content, stream: true } };
    }
    const body = {
        model: way === 'paid' ? MODELS.paid : MODELS.free,
        messages: [{ role: 'user', content }],
        stream: true,
    };
    return { url, path: '/v1/chat/completions', token, body };
}

/** Gives the body when its first token is there. */
async function openStream(dispatcher: Dispatcher, { url, path, token, body }: StreamRequest) {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const answer = await dispatcher.request({ origin: url, path, method: 'POST', headers, body: JSON.stringify(body) });
    let text = '';
    const signal = AbortSignal.timeout(PATIENCE_MS);
    await new Promise<void>((resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error(`No token: ${answer.statusCode} ${text}`)));
        answer.body.on('error', () => undefined);
        answer.body.on('data', (piece: Buffer) => {
            text += piece.toString();
            if (text.includes('word')) resolve();
        });
    });
    return answer.body;
}

async function measureFirstToken(timeOf: (way: Way) => Promise<number>): Promise<Record<string, Figures>> {
    for (let turn = 0; turn < WARM_UP; turn++) for (const way of WAYS) await timeOf(way);
    const rounds: Record<Way, number>[] = [];
    for (let round = 0; round < ROUNDS; round++) {
        const times: Record<Way, number[]> = { direct: [], relay: [], v1: [], thread: [], paid: [] };
        for (let turn = 0; turn < TURNS; turn++) for (const way of WAYS) times[way].push(await timeOf(way));
        rounds.push(Object.fromEntries(WAYS.map((way) => [way, median(times[way])])) as Record<Way, number>);
    }
    /** What one way adds, beside what another adds. */
    const row = (way: Way, beside: Way) => ({
        ...ratioFigures(rounds.map((round) => (round[way] - round.direct) / (round[beside] - round.direct))),
        ms: median(rounds.map((round) => round[way] - round.direct)),
        [`${beside}Ms`]: median(rounds.map((round) => round[beside] - round.direct)),
    });
    return {
        'first token: added by /v1 / relay': row('v1', 'relay'),
        'first token: added in a thread / relay': row('thread', 'relay'),
        'first token: added by /v1, paid / free': row('paid', 'v1'),
    };
}

/** Resident memory for each of the streams, which are open and silent. The first ones only make room. */
async function measureMemory(api: Contestant, open: () => Promise<{ destroy: () => void }>): Promise<Figures> {
    const openAll = (count: number) => Promise.all(Array.from({ length: count }, open));
    for (const body of await openAll(IDLE / 5)) body.destroy();
    await sleep(SETTLE_MS);
    const before = api.rssBytes();
    const bodies = await openAll(IDLE);
    await sleep(SETTLE_MS);
    const after = api.rssBytes();
    for (const body of bodies) body.destroy();
    if (before === null || after === null) throw new Error('The system does not tell the memory of a process');
    return { streams: IDLE, kilobytes: (after - before) / IDLE / 1024 };
}
