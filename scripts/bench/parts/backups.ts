import { setTimeout as sleep } from 'node:timers/promises';

import { request } from 'undici';

import { GRACE_MS } from '../../../plugins/backups/data/index.ts';

import type { Contestant } from '../contestant.ts';
import type { Part } from '../scene.ts';
import type { Conversations, Ground, SeededUser } from '../seed.ts';

const SMALL: Conversations = { threads: 100, messages: 20 };
const LARGE: Conversations = { threads: 1_000, messages: 20 };
/** Seldom enough for the limit of the route. */
const LOOK_EVERY_MS = 1_500;
const WATCH_EVERY_MS = 50;
const SETTLE_MS = 3_000;
/** More than the smaller one takes to be restored and looked at. */
const APART_MS = 12_000;
const MEBIBYTE = 1_048_576;

/** What a backup and its restore took. */
interface Effort {
    backupMs: number;
    /** Without the time that a restore waits for requests to end. */
    restoreMs: number;
    /** By which the memory was larger at its worst than before. */
    backupMiB: number;
    restoreMiB: number;
    archiveMiB: number;
}

/**
 * A backup and its restore of a tenant of 1,000 threads with 20,000 messages beside one of a tenth of that: the time of
 * a message should be the same, and so should the memory.
 */
export const measureBackups: Part = async ({ api, ground }) => {
    // The first one loads what the later ones need as well; a restore would wait for half a minute.
    await backedUp(api, await tenantWith(ground, SMALL));
    const [small, large] = await restored(api, [await keep(api, ground, SMALL), await keep(api, ground, LARGE)]);
    const times = (LARGE.threads * LARGE.messages) / (SMALL.threads * SMALL.messages);
    return {
        'backup of 20,000 messages': { ms: large.backupMs, mebibytes: large.backupMiB, archiveMiB: large.archiveMiB },
        'restore of 20,000 messages': { ms: large.restoreMs, mebibytes: large.restoreMiB },
        'time of a message, 20,000 / 2,000': {
            backup: large.backupMs / small.backupMs / times,
            restore: large.restoreMs / small.restoreMs / times,
        },
        'memory beyond that of 2,000 messages': {
            backupMiB: large.backupMiB - small.backupMiB,
            restoreMiB: large.restoreMiB - small.restoreMiB,
        },
    };
};

let tenants = 0;

/** Gives the admin of a tenant that has so much. */
async function tenantWith(ground: Ground, size: Conversations): Promise<SeededUser> {
    const domain = `kept${tenants++}.example`;
    const tid = await ground.addTenant(domain);
    const admin = await ground.addUser(tid, `admin@${domain}`, 'admin');
    await ground.addThreads(tid, admin.userId, size);
    return admin;
}

const backedUp = (api: Contestant, admin: SeededUser) =>
    watched(api, async () => {
        const call = callerOf(api, admin);
        const { data } = await call('POST', '/api/backups/create', { type: 'full' });
        return until(async () => (await call('GET', `/api/backups/${data.backup.id}/details`)).data.backup);
    });

/** A tenant that has a backup, and what that took. */
interface Kept {
    call: ReturnType<typeof callerOf>;
    backup: Watched;
}

async function keep(api: Contestant, ground: Ground, size: Conversations): Promise<Kept> {
    const admin = await tenantWith(ground, size);
    return { call: callerOf(api, admin), backup: await backedUp(api, admin) };
}

/** Restores both. They wait for requests to end at the same time, and do their work one after the other. */
async function restored(api: Contestant, [first, second]: [Kept, Kept]): Promise<[Effort, Effort]> {
    const restore = async ({ call, backup }: Kept) => {
        const path = `/api/backups/${backup.result.id}/restore`;
        const { data } = await call('POST', path, { components: ['database'] });
        return () => until(async () => (await call('GET', `/api/backups/restores/${data.restore.id}`)).data.restore);
    };
    const firstEnd = await restore(first);
    await sleep(APART_MS);
    const secondEnd = await restore(second);
    const done: [Watched, Watched] = [await watched(api, firstEnd), await watched(api, secondEnd)];
    const [before, after] = [done[0].result.completedAt ?? '', done[1].result.createdAt];
    if (Date.parse(before) > Date.parse(after) + GRACE_MS) throw new Error('Both were restored at the same time');
    return [effortOf(first, done[0]), effortOf(second, done[1])];
}

function effortOf({ backup }: Kept, restore: Watched): Effort {
    const { createdAt, completedAt } = restore.result;
    return {
        backupMs: Number(backup.result.durationMs),
        restoreMs: Date.parse(completedAt ?? '') - Date.parse(createdAt) - GRACE_MS,
        backupMiB: backup.peak / MEBIBYTE,
        restoreMiB: restore.peak / MEBIBYTE,
        archiveMiB: Number(backup.result.bytes) / MEBIBYTE,
    };
}

/** A task, and by how many bytes the API's memory grew for it at most. */
interface Watched {
    peak: number;
    result: Task;
}

async function watched({ rssBytes }: Contestant, work: () => Promise<Task>): Promise<Watched> {
    await sleep(SETTLE_MS);
    const before = rssBytes() ?? NaN;
    let most = before;
    const timer = setInterval(() => {
        most = Math.max(most, rssBytes() ?? NaN);
    }, WATCH_EVERY_MS);
    try {
        const result = await work();
        return { peak: most - before, result };
    } finally {
        clearInterval(timer);
    }
}

/** What is told of a backup or a restore. */
interface Task {
    id: string;
    state: string;
    createdAt: string;
    completedAt?: string;
    durationMs?: number;
    bytes?: number;
}

async function until(look: () => Promise<Task>): Promise<Task> {
    for (;;) {
        await sleep(LOOK_EVERY_MS);
        const task = await look();
        if (task.state === 'failed') throw new Error(`It failed: ${JSON.stringify(task)}`);
        if (task.state === 'completed') return task;
    }
}

const callerOf =
    ({ url }: Contestant, { token }: SeededUser) =>
    async (method: 'GET' | 'POST', path: string, payload?: object) => {
        const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
        const body = payload === undefined ? null : JSON.stringify(payload);
        const answer = await request(`${url}${path}`, { method, headers, body });
        const text = await answer.body.text();
        if (answer.statusCode >= 300) throw new Error(`A wrong answer: ${answer.statusCode} ${text}`);
        // oxlint-disable-next-line typescript/no-explicit-any -- a wrong answer ends the run
        return JSON.parse(text) as any;
    };
