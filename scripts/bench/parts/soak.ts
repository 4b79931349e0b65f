import { setTimeout as sleep } from 'node:timers/promises';

import { median, type Figures } from '../figures.ts';
import { lastingKeysOf, mentions, surveyKeys } from '../soak/keys.ts';
import { checkLedger } from '../soak/ledger.ts';
import { runPhase } from '../soak/phase.ts';
import { remove } from '../soak/place.ts';
import { keepReading, read, type Reading } from '../soak/readings.ts';
import { openStage, purge, type Stage } from '../soak/stage.ts';
import { growths, leaks, memoryFigures, unexplainedBytes, type Growth } from '../soak/verdict.ts';

import type { Part } from '../scene.ts';
import type { House } from '../soak/place.ts';

const SECONDS = Number(process.env.SOAK_SECONDS ?? 300);
/** Of all of it. */
const WARM_UP = 1 / 5;
const READ_EVERY_MS = 1_000;
/** Of what is written a moment later, as figures of traffic. */
const SETTLE_MS = 12_000;
/** Until then tenants that were noted are looked at: webhooks longest, and then their events. */
const FORGOTTEN_MS = 240_000;
/** What remembers tenants that are gone on purpose; holds for five minutes. */
const REMEMBERS = /:reports:purged$|:jobs:|:holds:/;

/**
 * What is left when people have come and gone for minutes: memory, sockets and keys of Redis after a warm-up, beside
 * those at the end. Each answer is looked at, what was made is deleted, and the money is counted; whatever is not as it
 * should be ends the run.
 */
export const measureSoak: Part = async (scene) => {
    const stage = await openStage(scene);
    try {
        return await soak(stage);
    } finally {
        await stage.close();
    }
};

async function soak(stage: Stage): Promise<Record<string, Figures>> {
    const { api, redis, faults } = stage;
    const early = await runPhase(stage, SECONDS * WARM_UP * 1_000);
    const earlyAt = performance.now();
    await settle(stage, early);
    const before = { keys: await surveyKeys(redis), reading: await read(api, redis) };
    const { readings, load, removed } = await measure(stage);
    await settle(stage, removed);
    const grown = growths(before.keys, await surveyKeys(redis));
    const rest = { before: before.reading, after: await read(api, redis) };
    const records = await clear(stage);
    if (performance.now() - earlyAt > FORGOTTEN_MS) await checkForgotten(stage, early);
    show(grown);
    const figures = {
        soak: { ...load, tenants: removed.length, ledger: records },
        ...memoryFigures(readings),
        'soak: at rest': {
            files: rest.after.files,
            'files before': rest.before.files,
            resources: rest.after.resources,
            'resources before': rest.before.resources,
            'unexplained bytes of Redis': unexplainedBytes(rest, grown),
        },
    };
    const wrong = [...faults.map(String), ...leaks(readings, rest, grown)];
    if (wrong.length === 0) return figures;
    console.table(figures);
    throw new Error(`The soak has found:\n${wrong.join('\n')}`);
}

/** Has people come and go, and reads how things are all the while. */
async function measure(stage: Stage): Promise<{ readings: Reading[]; load: Figures; removed: House[] }> {
    const { api, client, redis } = stage;
    const answered = client.answered();
    const cpu = api.cpuSeconds() ?? NaN;
    const began = performance.now();
    const stop = keepReading(() => read(api, redis), READ_EVERY_MS);
    const removed = await runPhase(stage, SECONDS * (1 - WARM_UP) * 1_000).catch(async (error: unknown) => {
        // Nothing is there to be read any more when this has ended the run.
        await stop();
        throw error;
    });
    const seconds = (performance.now() - began) / 1_000;
    const readings = await stop();
    const load = {
        seconds,
        requests: client.answered() - answered,
        'of a core': ((api.cpuSeconds() ?? NaN) - cpu) / seconds,
        'ms late p99': median(readings.map(({ lag }) => lag)),
    };
    return { readings, load, removed };
}

/** Purges tenants that were deleted and waits until nothing is written any more: none of their keys may be left. */
async function settle({ faults, ...stage }: Stage, removed: House[]): Promise<void> {
    if (removed.length > 0) await purge({ ...stage, faults }, removed);
    await sleep(SETTLE_MS);
    for (const { tenantId } of removed) {
        const left = await lastingKeysOf(stage.redis, tenantId);
        if (left.length > 0) faults.push(new Error(`Left of a purged tenant: ${left.join(', ')}`));
    }
}

/** Counts the money of the tenants that stayed until now, and deletes them too; gives how many entries it has. */
async function clear(stage: Stage): Promise<number> {
    let records = 0;
    for (const house of stage.houses) {
        records += await checkLedger(stage, house);
        await remove(stage, house);
    }
    await settle(stage, stage.houses);
    return records;
}

/** Of tenants that were purged long ago nothing comes back, and nobody knows them any more. */
async function checkForgotten({ redis, faults }: Stage, houses: House[]): Promise<void> {
    const ids = houses.map(({ tenantId }) => tenantId);
    const left = (await mentions(redis, ids)).filter((key) => !REMEMBERS.test(key));
    for (const id of ids) left.push(...(await lastingKeysOf(redis, id)));
    if (left.length > 0) faults.push(new Error(`Tenants that are gone are still known: ${left.join(', ')}`));
}

/** Every kind of key that there was or is, but those of which nothing has changed. */
function show(grown: Growth[]): void {
    const hasChanged = ({ stay, expire, entries }: Growth) => [stay, expire, entries].some(([was, is]) => was !== is);
    const rows = grown
        .filter(hasChanged)
        .map(({ kind, stay, expire, entries, bytes, why }) => [
            kind,
            { stay: stay.join(' → '), expire: expire.join(' → '), entries: entries.join(' → '), bytes, why },
        ]);
    console.table(Object.fromEntries(rows));
}
