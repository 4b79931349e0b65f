/** `npm run bench`: what the API costs, as ratios of what was measured in turn. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { measureBackups } from './parts/backups.ts';
import { measureGateway } from './parts/gateway.ts';
import { measureGrowth } from './parts/growth.ts';
import { measureLogin } from './parts/login.ts';
import { measureMemory } from './parts/memory.ts';
import { measureMetrics } from './parts/metrics.ts';
import { measureNaive } from './parts/naive.ts';
import { measureSoak } from './parts/soak.ts';
import { measureStart } from './parts/start.ts';
import { measureStreams } from './parts/streams.ts';
import { measureCreate, measureList, measureRead } from './parts/throughput.ts';
import { measureTunnels } from './parts/tunnels.ts';
import { readProfiles } from './profile.ts';
import { withScene, type Part } from './scene.ts';

import type { Figures } from './figures.ts';

/** In the order that they are measured in: what leaves memory behind comes last. */
const PARTS: Record<string, Part> = {
    start: measureStart,
    login: measureLogin,
    read: measureRead,
    naive: measureNaive,
    list: measureList,
    create: measureCreate,
    metrics: measureMetrics,
    streams: measureStreams,
    gateway: measureGateway,
    tunnels: measureTunnels,
    backups: measureBackups,
    memory: measureMemory,
    growth: measureGrowth,
};
/** Those that take their time: they are measured when they are named. */
const LONG: Record<string, Part> = { soak: measureSoak };
const all = { ...PARTS, ...LONG };

const { values } = parseArgs({ options: { only: { type: 'string' }, profile: { type: 'string' } } });
const wanted = values.only?.split(',') ?? Object.keys(PARTS);
const unknown = wanted.find((name) => !(name in all));
if (unknown !== undefined) throw new Error(`There is no part ${unknown}, but ${Object.keys(all).join(', ')}`);

const results: Record<string, Figures> = {};
await withScene(async (scene) => {
    for (const [name, measure] of Object.entries(all).filter(([part]) => wanted.includes(part))) {
        const began = performance.now();
        Object.assign(results, await measure(scene));
        process.stdout.write(`${name}: ${((performance.now() - began) / 1000).toFixed(0)} s\n`);
    }
}, values.profile);

const rounded = Object.entries(results).map(([name, figures]) => [
    name,
    Object.fromEntries(Object.entries(figures).map(([key, value]) => [key, Number(value.toFixed(value < 10 ? 3 : 0))])),
]);
console.table(Object.fromEntries(rounded));
if (values.profile !== undefined) {
    const { modules, functions } = readProfiles(values.profile);
    for (const [name, percent] of [...modules, ...functions])
        console.log(`${percent.toFixed(1).padStart(6)} %  ${name}`);
}
writeFileSync('bench.json', `${JSON.stringify(results, null, 4)}\n`);
