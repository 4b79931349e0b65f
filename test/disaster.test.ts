import { copyFileSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import { Redis } from 'ioredis';

import { temporaryFolder } from './helpers/folder.ts';
import { startProcess } from './helpers/process.ts';
import { get, newClient, post, type Client } from './helpers/program.ts';

export const lab = Lab.script();
const { describe, it, before } = lab;

/** What is written between the copy and the loss. */
const LATE = 'too late for the copy';

/** A data directory whose machine is lost, and the copies that were made of it in time. */
interface Lost {
    client: Client;
    snapshot: string;
    appendOnly: string;
    secrets: string;
}

async function loseStore(): Promise<Lost> {
    const folder = temporaryFolder();
    const copies = temporaryFolder();
    const program = await startProcess({ DATA_DIR: folder });
    const client = await newClient(program.url);
    const redis = new Redis(join(folder, 'redis.sock'));
    const lost = {
        client,
        snapshot: join(copies, 'store.rdb'),
        appendOnly: join(copies, 'appendonlydir'),
        secrets: join(copies, 'secrets.json'),
    };
    await redis.bgsave();
    while (!/rdb_bgsave_in_progress:0/.test(await redis.info('persistence'))) await sleep(20);
    copyFileSync(join(folder, 'redis', 'dump.rdb'), lost.snapshot);
    await redis.config('SET', 'auto-aof-rewrite-percentage', '0');
    cpSync(join(folder, 'redis', 'appendonlydir'), lost.appendOnly, { recursive: true });
    copyFileSync(join(folder, 'secrets.json'), lost.secrets);
    await post(`${program.url}/api/threads`, { title: LATE }, client.token);
    redis.disconnect();
    await program.stop();
    return lost;
}

/** The titles that the tenant sees in a program that starts with that store. */
async function titlesIn(lost: Lost, bringBack: (redisFolder: string) => void): Promise<string[]> {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'redis'));
    bringBack(join(folder, 'redis'));
    copyFileSync(lost.secrets, join(folder, 'secrets.json'));
    const program = await startProcess({ DATA_DIR: folder });
    try {
        const { body } = await get(`${program.url}/api/threads`, lost.client.token);
        return body.data.threads.map(({ title }: { title: string }) => title);
    } finally {
        await program.stop();
    }
}

describe('a store that is lost', () => {
    let lost: Lost;

    before(async () => {
        lost = await loseStore();
    });

    it('comes back from a snapshot, with its sessions', async () => {
        const titles = await titlesIn(lost, (folder) => {
            const files = join(folder, 'appendonlydir');
            mkdirSync(files);
            copyFileSync(lost.snapshot, join(files, 'appendonly.aof.1.base.rdb'));
            writeFileSync(join(files, 'appendonly.aof.manifest'), 'file appendonly.aof.1.base.rdb seq 1 type b\n');
        });
        expect(titles).to.equal(['A thread']);
    });

    it('comes back from its append-only files', async () => {
        const titles = await titlesIn(lost, (folder) => {
            cpSync(lost.appendOnly, join(folder, 'appendonlydir'), { recursive: true });
        });
        expect(titles).to.equal(['A thread']);
    });
});
