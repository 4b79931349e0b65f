import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { packageRoot } from '../../../src/package-root.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { startApp, testConfig, type TestApp } from '../../helpers/app.ts';
import { restoreEnd } from '../../helpers/backups.ts';
import { temporaryFolder } from '../../helpers/folder.ts';
import { openQueue, type TestQueue } from '../../helpers/jobs.ts';
import { addMessages, addThreads, storesOf } from '../../helpers/many-threads.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newThread } from '../../helpers/thread.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

/** Workers that are killed, each in the middle of so many restores, all at other moments. */
const KILLS = 3;
const AT_ONCE = 4;
const THREADS = 200;
/** Of each of the first threads. */
const MESSAGES = 30;

/** A tenant whose threads are all others than those of its backup. */
interface Changed {
    tenant: TestTenant;
    backupId: string;
}

interface Begun extends Changed {
    restoreId: string;
}

interface WorkerProcess {
    kill: () => Promise<void>;
}

describe('restores of tenants with hundreds of threads', { timeout: 180_000 }, () => {
    const settings = {
        BACKUP_DIR: join(temporaryFolder(), 'backups'),
        VAULT_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
    };
    let redis: TestRedis;
    let app: TestApp;
    let jobs: TestQueue;

    before(async () => {
        redis = await startRedis();
        // It takes requests and no jobs.
        app = await startApp({ redisPath: redis.path, config: testConfig(settings) });
        jobs = await openQueue(redis.path);
    });
    after(async () => {
        await jobs.close();
        await app.stop();
        await redis.stop();
    });

    const startWorker = async (): Promise<WorkerProcess> => {
        const program = join(packageRoot(), 'dist/test/helpers/restore-worker.js');
        const { PATH = '' } = process.env;
        const child = spawn(process.execPath, [program, redis.path, JSON.stringify(settings)], {
            env: { PATH, TMPDIR: temporaryFolder() },
            stdio: ['ignore', 'pipe', 'inherit'],
        });
        const kill = () => child.kill('SIGKILL');
        process.once('exit', kill);
        const exit = once(child, 'close');
        await Promise.race([once(child.stdout, 'data'), exit]);
        if (child.exitCode !== null) throw new Error('The worker ended before it worked');
        return {
            async kill() {
                process.off('exit', kill);
                kill();
                await exit;
            },
        };
    };

    const titlesOf = (sort: string) => Array.from({ length: THREADS }, (_, n) => `${sort} ${n}`);
    const changedTenant = async (): Promise<Changed> => {
        const tenant = await newTenant(app);
        const { tenantId, userId: ownerId } = tenant;
        const ids = await addThreads(app, tenant, titlesOf('new'));
        for (const id of ids.slice(0, 10)) await addMessages(app, tenant, id, MESSAGES);
        const backup = await app.server.plugins.backups.operator.backup(tenantId, 'database');
        expect(backup.state).to.equal('completed');
        const { store } = storesOf(app, tenant);
        await Promise.all(ids.map((id) => store.delete({ tenantId, ownerId }, id, {})));
        await addThreads(app, tenant, titlesOf('old'));
        return { tenant, backupId: backup.id };
    };

    const fieldOf = ({ tenant, restoreId }: Begun, field: string): Promise<string | null> =>
        app.redis.hget(tenantKey(tenant.tenantId, 'backup-restore', restoreId), field);
    /** Asks for the restore and waits until a worker is at it. */
    const begin = async (changed: Changed): Promise<Begun> => {
        const { tenant, backupId } = changed;
        const payload = { components: ['database'] };
        const { status, body, text } = await tenant.call('POST', `/api/backups/${backupId}/restore`, { payload });
        expect(status, text).to.equal(202);
        const begun = { ...changed, restoreId: String(body.data.restore.id) };
        while ((await fieldOf(begun, 'holder')) === null) await sleep(2);
        return begun;
    };
    /** What its users see: `locked`, or which threads they have and how many. */
    const look = async ({ tenant }: Changed): Promise<string> => {
        const titles: string[] = [];
        let cursor = '';
        do {
            const page = await tenant.call('GET', `/api/threads?limit=100${cursor}`);
            if (page.status === 503 && page.body.error.code === 'TENANT_RESTORING') return 'locked';
            expect(page.status, page.text).to.equal(200);
            titles.push(...page.body.data.threads.map(({ title }: { title: string }) => title.split(' ')[0]));
            const next: string | null = page.body.pagination.cursor;
            cursor = next === null ? '' : `&cursor=${encodeURIComponent(next)}`;
        } while (cursor !== '');
        return `${[...new Set(titles)].toSorted().join('+')} ${titles.length}`;
    };
    const OLD = `old ${THREADS}`;
    const NEW = `new ${THREADS}`;

    /** How long one takes that nobody disturbs. */
    const timed = async (changed: Changed): Promise<number> => {
        const worker = await startWorker();
        const begun = await begin(changed);
        const from = performance.now();
        await restoreEnd(app, changed.tenant.tenantId, begun.restoreId);
        const took = performance.now() - from;
        await worker.kill();
        expect(await look(changed)).to.equal(NEW);
        return took;
    };

    /** Kills a worker amid several restores; what each was at, and what users saw then. */
    const killed = async (group: Changed[], took: number): Promise<{ begun: Begun; at: string; seen: string }[]> => {
        const worker = await startWorker();
        const beginLater = async (changed: Changed) => {
            await sleep(Math.random() * took * 2);
            return begin(changed);
        };
        const all = await Promise.all(group.map(beginLater));
        await sleep(Math.random() * took);
        await worker.kill();
        const seen = async (begun: Begun) => ({
            begun,
            at: String(await fieldOf(begun, 'state')),
            seen: await look(begun),
        });
        return Promise.all(all.map(seen));
    };

    it('are old or new, and ended by another process, at whatever moment a worker is killed', async () => {
        const all = await Promise.all(Array.from({ length: KILLS * AT_ONCE + 1 }, changedTenant));
        const [first, ...others] = all as [Changed, ...Changed[]];
        expect(await look(first)).to.equal(OLD);
        const took = await timed(first);

        const rounds: Awaited<ReturnType<typeof killed>> = [];
        for (let n = 0; n < KILLS; n++) {
            rounds.push(...(await killed(others.slice(n * AT_ONCE, (n + 1) * AT_ONCE), took)));
        }
        const told = rounds.map(({ at, seen }) => `${at}: ${seen}`).join(', ');
        for (const { at, seen } of rounds) {
            const may = at === 'completed' ? [NEW] : at === 'swapping' ? [OLD, 'locked', NEW] : [OLD];
            expect(may, told).to.include(seen);
        }
        expect(rounds.filter(({ at }) => at !== 'completed').length, told).to.be.above(0);

        const last = await startWorker();
        const ended = Promise.all(rounds.map(({ begun }) => restoreEnd(app, begun.tenant.tenantId, begun.restoreId)));
        let isOver = false;
        const promoting = (async () => {
            // What another process still seemed to hold is tried again some seconds later: now is soon enough.
            for (; !isOver; await sleep(500)) await jobs.promote();
        })();
        for (const { state, error } of await ended)
            expect({ state, error }).to.equal({ state: 'completed', error: null });
        isOver = true;
        await promoting;
        await last.kill();
        for (const { begun } of rounds) {
            const { tenantId } = begun.tenant;
            expect(await look(begun), told).to.equal(NEW);
            expect(await app.redis.hexists(tenantKey(tenantId, 'info'), 'restoring')).to.equal(0);
            expect(await app.redis.keys(tenantKey(tenantId, 'restore', '*', 'staged', '*'))).to.equal([]);
            const counts = await app.redis.keys(tenantKey(tenantId, 'thread', '*', 'messages'));
            const lengths = await Promise.all(counts.map((key) => app.redis.xlen(key)));
            expect(lengths).to.equal(Array.from({ length: 10 }, () => MESSAGES));
            await newThread(begun.tenant, 'after it');
        }
    });
});
