import { request } from 'undici';

import { meteringMicros } from './metering.ts';
import { median, ratioFigures, type Figures } from '../figures.ts';
import { load, type LoadRequest } from '../load.ts';

import type { Contestant } from '../contestant.ts';
import type { Part } from '../scene.ts';
import type { SeededUser } from '../seed.ts';

const ROUNDS = 7;
const WARM_UP_MS = 4_000;
const SLICE_MS = 1_000;
const SCRAPE_EVERY_MS = 1_000;
const CONNECTIONS = 48;
const SCRAPES = 100;

/** An API, and those who use it. */
interface Side {
    contestant: Contestant;
    users: SeededUser[];
}

/**
 * Processor time of a request to an API that measures and is scraped each second, beside one that does neither, in
 * slices that alternate and change their order: the machine's moods are those of both.
 */
export const measureMetrics: Part = async ({ api, users, startAnother }) => {
    const measured = { contestant: api, users };
    const other = await startAnother('plain', { METRICS: 'off' });
    const plain = { contestant: other.api, users: other.users };
    const scraped = async (milliseconds: number): Promise<number> => {
        const stop = scrape(measured.contestant.url);
        const micros = await slice(measured, milliseconds);
        await stop();
        return micros;
    };
    await slice(plain, WARM_UP_MS);
    await scraped(WARM_UP_MS);
    const rounds: { plain: number; measured: number }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
        const first = round % 2 === 0 ? await slice(plain, SLICE_MS) : null;
        const ours = await scraped(SLICE_MS);
        rounds.push({ plain: first ?? (await slice(plain, SLICE_MS)), measured: ours });
    }
    return {
        'metrics: on / off': {
            ...ratioFigures(rounds.map((round) => round.measured / round.plain)),
            µs: median(rounds.map((round) => round.measured)),
            'µs off': median(rounds.map((round) => round.plain)),
        },
        'metrics: share of a request': await shareOf(measured, median(rounds.map((round) => round.plain))),
    };
};

/**
 * The same put together from its parts, as two processes differ by more than what is looked for: what measuring takes
 * of a request and of its commands of Redis, and a scrape each second of a process that does nothing but answer.
 */
async function shareOf({ contestant }: Side, requestMicros: number): Promise<Figures> {
    const metering = await meteringMicros();
    const { text, micros } = await scrapeCost(contestant);
    const commands = sumOf(text, 'db_query_duration_seconds_count') / sumOf(text, 'http_requests_total');
    const metered = metering.request + commands * metering.command;
    return {
        ratio: 1 + metered / requestMicros + micros / (SCRAPE_EVERY_MS * 1_000),
        µs: metered,
        commands,
        'ms a scrape': micros / 1_000,
    };
}

async function scrapeCost({ url, cpuSeconds }: Contestant): Promise<{ text: string; micros: number }> {
    const before = cpuSeconds();
    let text = '';
    for (let n = 0; n < SCRAPES; n++) text = await (await request(`${url}/metrics`)).body.text();
    const after = cpuSeconds();
    if (before === null || after === null) throw new Error('The system does not tell of processor time');
    return { text, micros: (1e6 * (after - before)) / SCRAPES };
}

/** All series of a name together. */
const sumOf = (text: string, name: string): number =>
    [...text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'gm'))].reduce(
        (sum, [, value]) => sum + Number(value),
        0,
    );

/** Microseconds of processor time for a request; of wall-clock time where the system does not tell. */
async function slice({ contestant, users }: Side, milliseconds: number): Promise<number> {
    const { url, cpuSeconds } = contestant;
    let turn = Math.floor(Math.random() * users.length);
    const next = (): LoadRequest => {
        const user = users[turn++ % users.length];
        if (!user) throw new RangeError('There are no users');
        const headers = { authorization: `Bearer ${user.token}` };
        return { method: 'GET', path: `/api/threads/${user.threadId}`, headers };
    };
    const before = cpuSeconds();
    const { answered, perSecond, wrong } = await load(url, next, { connections: CONNECTIONS, milliseconds });
    if (wrong !== null) throw new Error(`A wrong answer: ${wrong}`);
    const after = cpuSeconds();
    return 1e6 * (before === null || after === null ? 1 / perSecond : (after - before) / answered);
}

/** Asks as Prometheus does, at once and each second, until it is told to stop; a wrong answer ends the run then. */
function scrape(url: string): () => Promise<void> {
    const ask = async (): Promise<string | null> => {
        const { statusCode, body } = await request(`${url}/metrics`);
        const text = await body.text();
        return statusCode === 200 && text.includes('# TYPE http_requests_total counter') ? null : text;
    };
    const asked: Promise<string | null>[] = [];
    const askNow = () => void asked.push(ask().catch(String));
    askNow();
    const timer = setInterval(askNow, SCRAPE_EVERY_MS);
    return async () => {
        clearInterval(timer);
        const wrong = (await Promise.all(asked)).find((text) => text !== null);
        if (wrong !== undefined) throw new Error(`A wrong answer: ${wrong}`);
    };
}
