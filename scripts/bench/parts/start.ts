import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { request } from 'undici';

import { median, ratioFigures, type Figures } from '../figures.ts';
import { environmentOf, newKeys, type Part, type Scene } from '../scene.ts';

import type { Contestant } from '../contestant.ts';

const ROUNDS = 3;
const SETTLE_MS = 5_000;
const MIB = 1_048_576;
const IDLE = 'dist/scripts/bench/processes/idle.js';

/** What is started: its script and environment. */
type Program = [script: string, environment: Record<string, string>];

/**
 * From the start of a process until it is ready, with a data directory that has been used before and a Redis of its
 * own, and its memory when it has settled; beside servers that do nothing, of bare Node.js and of hapi.
 */
export const measureStart: Part = async ({ start, folder }) => {
    const programs: Record<string, Program> = {
        api: ['dist/src/main.js', { ...environmentOf(newKeys()), DATA_DIR: join(folder, 'start') }],
        node: [IDLE, { KIND: 'node' }],
        hapi: [IDLE, { KIND: 'hapi' }],
    };
    const measure = async (name: string) => startOnce(start, programs[name] ?? [IDLE, {}]);
    // The first start makes the data directory.
    await (await measure('api')).contestant.stop();
    const rounds: Record<string, number>[] = [];
    let last: Record<string, Contestant> = {};
    for (let round = 0; round < ROUNDS; round++) {
        for (const contestant of Object.values(last)) await contestant.stop();
        const times: Record<string, number> = {};
        last = {};
        for (const name of Object.keys(programs)) {
            const { contestant, ms } = await measure(name);
            times[name] = ms;
            last[name] = contestant;
        }
        rounds.push(times);
    }
    await sleep(SETTLE_MS);
    const { api, node, hapi } = last;
    const figures = {
        'start: API / hapi': startFigures(rounds),
        'idle RSS: API / hapi': memoryFigures(api, node, hapi),
    };
    for (const contestant of Object.values(last)) await contestant.stop();
    return figures;
};

function startFigures(rounds: Record<string, number>[]): Figures {
    const of = (name: string) => rounds.map((times) => times[name] ?? NaN);
    const hapi = of('hapi');
    return {
        ...ratioFigures(of('api').map((ms, round) => ms / (hapi[round] ?? NaN))),
        ms: median(of('api')),
        'ms hapi': median(hapi),
        'ms node': median(of('node')),
    };
}

function memoryFigures(...[api, node, hapi]: (Contestant | undefined)[]): Figures {
    const mib = (contestant?: Contestant) => (contestant?.rssBytes() ?? NaN) / MIB;
    return { ratio: mib(api) / mib(hapi), MiB: mib(api), 'MiB hapi': mib(hapi), 'MiB node': mib(node) };
}

/** Gives the milliseconds until it answers that it is ready, which is all that it is asked. */
async function startOnce(start: Scene['start'], program: Program): Promise<{ contestant: Contestant; ms: number }> {
    const began = performance.now();
    const contestant = await start(...program);
    const { statusCode, body } = await request(`${contestant.url}/health/ready`);
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`It listens and is not ready: ${statusCode} ${text}`);
    return { contestant, ms: performance.now() - began };
}
