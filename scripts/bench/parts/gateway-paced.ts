import { setTimeout as sleep } from 'node:timers/promises';

import { Client } from 'undici';

import { median, type Figures } from '../figures.ts';
import { hear, timesOfTokens } from '../stream-load.ts';

import type { Gateway, Gateways } from './gateway-contestants.ts';

const EVERY_MS = 50;
const SETTLE_MS = 300;
/** What is later than this is not on time. */
const LATE_MS = 100;
/** How long streams may take beyond their pace; what has not come by then is not waited for. */
const PATIENCE_MS = 4_000;
/** Of fewer the memory is lost in what the process takes and gives back meanwhile. */
const MANY = 100;

/** So many streams at once; they begin one after the other, as those of users do. */
interface Level {
    streams: number;
    tokens: number;
    beginMs: number;
}

const LEVELS: Level[] = [
    { streams: 1, tokens: 20, beginMs: 0 },
    { streams: 10, tokens: 20, beginMs: 200 },
    { streams: 100, tokens: 30, beginMs: 500 },
    { streams: 1_000, tokens: 100, beginMs: 3_000 },
];

/** How a process is at a time. */
interface State {
    at: number;
    cpuSeconds: number;
    bytes: number;
}

/** Whether streams at the pace of a model are held up, and what each of them takes. */
export async function measurePaced(gateways: Gateways): Promise<Record<string, Figures>> {
    const rows: Record<string, Figures> = {};
    for (const level of LEVELS) {
        for (const name of ['v1', 'relay', 'portkey'] as const)
            rows[`${level.streams} paced: ${name}`] = await run(gateways[name], level);
    }
    return rows;
}

async function run({ process, requestOf, end }: Gateway, { streams, tokens, beginMs }: Level): Promise<Figures> {
    const clients = Array.from({ length: streams }, () => new Client(process.url, { bodyTimeout: 0 }));
    await sleep(SETTLE_MS);
    const state = (): State => ({
        at: performance.now(),
        cpuSeconds: process.cpuSeconds() ?? NaN,
        bytes: process.rssBytes() ?? NaN,
    });
    const idle = state();
    const tooLong = AbortSignal.timeout(beginMs + tokens * EVERY_MS + PATIENCE_MS);
    tooLong.addEventListener('abort', () => clients.forEach((client) => void client.destroy()));
    const all = Promise.all(
        clients.map(async (client, n) => {
            await sleep((beginMs / streams) * n);
            const stream = await hear(client, requestOf({ tokens, everyMs: EVERY_MS, isStream: true }));
            if (!stream.isWhole && !tooLong.aborted) throw new Error('A stream broke off');
            return stream;
        }),
    );
    // While all of them should run: the last has been asked for, and the first has not ended.
    await sleep(beginMs);
    const from = state();
    await sleep(idle.at + tokens * EVERY_MS - performance.now());
    const until = state();
    const heard = await all;
    for (const client of clients) await client.destroy();
    const times = heard.map((stream) => timesOfTokens(stream, tokens, end));
    return {
        firstMs: median(heard.map(({ began, times: [first = NaN] }) => first - began)),
        ...delivery(times, tokens),
        ...cost(times.flat(), from, until),
        ...(streams >= MANY && { kilobytes: (until.bytes - idle.bytes) / streams / 1024 }),
    };
}

/** How many tokens came in a second, and what they took. */
function cost(times: number[], from: State, until: State): Figures {
    const seconds = (until.at - from.at) / 1000;
    const tokens = times.filter((time) => time >= from.at && time < until.at).length;
    const busySeconds = until.cpuSeconds - from.cpuSeconds;
    return { perSecond: tokens / seconds, µs: (busySeconds / tokens) * 1e6, busy: busySeconds / seconds };
}

/** How the tokens of streams came, beside their pace: that of the token that came soonest. */
function delivery(streams: number[][], sent: number): Figures {
    let longestGap = 0;
    let onTime = 0;
    for (const times of streams) {
        const start = Math.min(...times.map((time, n) => time - n * EVERY_MS));
        onTime += times.filter((time, n) => time - n * EVERY_MS - start <= LATE_MS).length;
        for (const [n, time] of times.entries())
            longestGap = Math.max(longestGap, time - (times[n - 1] ?? time) - EVERY_MS);
    }
    return { gapMs: longestGap, onTime: onTime / (streams.length * sent) };
}
