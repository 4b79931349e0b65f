import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { openArchives } from '../../../plugins/backups/archive/index.ts';
import { openStorage } from '../../../plugins/backups/storage/index.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { bytesOf, hashOf } from '../../../src/redis/stored-values.ts';
import { Vault } from '../../../src/security/vault.ts';
import { newKey } from '../../helpers/api-key.ts';
import { askRestore, newBackup, restore, restoreEnd } from '../../helpers/backups.ts';
import { setPlan } from '../../helpers/limits.ts';
import { addMessages, addThreads, storesOf } from '../../helpers/many-threads.ts';
import { newProxy } from '../../helpers/proxy.ts';
import { summarizePath } from '../../helpers/summary.ts';
import { keysOf, kindsOf, readAll, tenantData } from '../../helpers/tenant-data.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { messagesPath, newThread } from '../../helpers/thread.ts';
import { newEndpoint, newRunningTunnel, newShare } from '../../helpers/tunnel.ts';
import { newUser, type TestUser } from '../../helpers/user.ts';
import { newWebhook } from '../../helpers/webhook.ts';
import { startWithWorker, type AppWithWorker } from '../../helpers/with-worker.ts';

import type { TestApp } from '../../helpers/app.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const THREADS = 1_000;
const MODELS = ['sandbox', 'gpt-4o'];
/** Of each model in each thread. */
const MESSAGES = 10;
const AT_ONCE = 100;
const WRITERS = 6;

describe('a tenant of 1,000 threads and 20,000 messages', { timeout: 120_000 }, () => {
    let program: AppWithWorker;
    let app: TestApp;
    let tenant: TestTenant;
    let bob: TestUser;
    let threads: Record<'ada' | 'bob', string[]>;

    before(async () => {
        program = await startWithWorker();
        app = program.app;
        tenant = await newTenant(app);
        bob = await newUser(app, tenant.tenantId, 'user');
        await fill();
    });
    after(() => program.stop());

    const fill = async () => {
        await setPlan(app, tenant.tenantId, 'premium');
        const titles = Array.from({ length: THREADS / 2 }, (_, n) => `Thread ${n} of quinces`);
        threads = {
            ada: await addThreads(app, tenant, titles),
            bob: await addThreads(app, { ...tenant, userId: bob.userId }, titles),
        };
        const all = [...threads.ada, ...threads.bob];
        for (let at = 0; at < all.length; at += AT_ONCE) await Promise.all(all.slice(at, at + AT_ONCE).map(fillThread));
        for (const thread of threads.ada.slice(0, 3)) {
            const { status, text } = await tenant.call('POST', summarizePath(thread));
            expect(status, text).to.equal(200);
        }
        await newKey(bob);
        const { tunnelId } = await newRunningTunnel(tenant, 'Ollama');
        await newEndpoint(tenant, tunnelId);
        await newShare(tenant, tunnelId, { userId: bob.userId });
        await newProxy(tenant, [tunnelId]);
        await newWebhook(tenant, 'https://1.1.1.1/hook');
        const limits = await tenant.call('PUT', '/api/billing/limits', { payload: { tenant: 5, lowCreditMicros: 5 } });
        const payload = { settings: { fallbackModels: ['sandbox'] } };
        expect([limits.status, (await tenant.call('PATCH', '/api/tenant', { payload })).status]).to.equal([200, 200]);
    };
    const fillThread = async (thread: string) => {
        for (const modelId of MODELS) await addMessages(app, tenant, thread, MESSAGES, { modelId, length: 60 });
    };

    /** All that the features tell of the tenant, in bytes. */
    const exported = async (): Promise<string> =>
        (await readAll(tenantData(app), tenant.tenantId)).map((aggregate) => JSON.stringify(aggregate)).join('\n');
    const ids = async (): Promise<string[]> => {
        const { threads: store } = storesOf(app, tenant).store;
        const found: string[] = [];
        for (const ownerId of [tenant.userId, bob.userId]) {
            for await (const some of store.ids({ tenantId: tenant.tenantId, ownerId }, 'created_at')) {
                found.push(...some);
            }
        }
        return found;
    };
    const found = async (): Promise<number> =>
        (await bob.call('GET', '/api/threads?q=quinces&limit=100')).body.data.threads.length;
    /** Says that two long texts are the same, without a difference of megabytes. */
    const expectSame = (now: string, was: string) => {
        const lines = was.split('\n');
        const others = now.split('\n').filter((line, n) => line !== lines[n]);
        expect(others.slice(0, 2).map((line) => line.slice(0, 200))).to.equal([]);
        expect(now === was).to.be.true();
    };

    it('is as it was, byte by byte, when it is restored after all threads and more were deleted', async () => {
        const other = await newTenant(app);
        for (const thread of await addThreads(app, other, ['Theirs', 'Theirs too'])) {
            await addMessages(app, other, thread, 5);
        }
        const was = await exported();
        const backup = await newBackup(app, tenant);
        expect(backup.counts).to.include({ thread: THREADS, user: 2, key: 1, tunnel: 1, proxy: 1, webhook: 1 });
        expect(was.match(/"status","complete"/g)?.length).to.equal(THREADS * MODELS.length * MESSAGES);
        expect(was.match(/:summary":/g)?.length).to.equal(3);

        const { store } = storesOf(app, tenant);
        for (const [ownerId, own] of [
            [tenant.userId, threads.ada],
            [bob.userId, threads.bob],
        ] as const) {
            for (let at = 0; at < own.length; at += AT_ONCE) {
                const place = { tenantId: tenant.tenantId, ownerId };
                await Promise.all(own.slice(at, at + AT_ONCE).map((id) => store.delete(place, id, {})));
            }
        }
        const { body } = await tenant.call('GET', '/api/webhooks');
        expect((await tenant.call('DELETE', `/api/webhooks/${body.data.webhooks[0].id}`)).status).to.equal(200);
        await newThread(bob, 'Later quinces');
        expect(await ids()).to.have.length(1);

        const theirs = await keysOf(app.redis, other.tenantId);
        expect(await restore(app, tenant, backup.id)).to.include({ state: 'completed', error: null });
        expectSame(await exported(), was);
        expect(await keysOf(app.redis, other.tenantId)).to.equal(theirs);
        expect(await found()).to.equal(100);
    });

    it('is as it was, byte by byte, when it is restored after every key of what is restored is gone', async () => {
        const was = await exported();
        const backup = await newBackup(app, tenant);
        const lists = await listsOf();
        expect(lists.size).to.be.above(20);
        // Somebody asks for it just before the loss.
        await program.jobs.queue.pause();
        const asked = await askRestore(app, tenant, backup.id, ['database', 'config', 'deployment']);
        expect(asked.status).to.equal(202);
        await loseAll();
        expect(await ids()).to.equal([]);
        expect((await tenant.call('GET', '/api/threads')).status).to.be.within(401, 403);
        await program.jobs.queue.resume();
        const ended = await restoreEnd(app, tenant.tenantId, asked.body.data.restore.id);
        expect(ended).to.include({ state: 'completed', error: null });
        expectSame(await exported(), was);
        const now = await listsOf();
        expect([...lists].filter(([key, text]) => now.get(key) !== text).map(([key]) => key)).to.equal([]);
        expect(now.size).to.equal(lists.size);
        expect(await found()).to.equal(100);
        const page = await tenant.call('GET', `${messagesPath(String(threads.ada[7]))}?limit=100`);
        expect(page.body.data.messages).to.have.length(MESSAGES);
    });

    /** Each line of the lists that follow from the records, read from where it is kept. */
    const listsOf = async (): Promise<Map<string, string>> => {
        const names = new Map<string, 'zset' | 'hash'>();
        for (const kind of kindsOf(app)) {
            for await (const some of kind.ids(tenant.tenantId)) {
                for (const id of some) {
                    const aggregate = await kind.read(tenant.tenantId, id);
                    for (const { key, type } of aggregate ? kind.indexes(aggregate) : [])
                        names.set(key.join(':'), type);
                }
            }
        }
        const all = [...names].map(async ([name, type]): Promise<[string, string]> => {
            const key = tenantKey(tenant.tenantId, ...name.split(':'));
            if (type === 'zset') return [name, String(await app.redis.zrange(key, 0, '-1', 'WITHSCORES'))];
            const fields = Object.entries(await app.redis.hgetall(key));
            return [name, String(fields.toSorted(([one], [another]) => (one < another ? -1 : 1)))];
        });
        return new Map(await Promise.all(all));
    };

    /** Takes away all values, lists and fields that the features tell of. */
    const loseAll = async () => {
        const { tenantId } = tenant;
        const lost = new Set<string>();
        for (const kind of kindsOf(app).filter(({ component }) => component !== 'deployment')) {
            for await (const some of kind.ids(tenantId)) {
                for (const id of some) {
                    const aggregate = await kind.read(tenantId, id);
                    if (!aggregate) continue;
                    const { part } = kind;
                    if (part) await app.redis.hdel(tenantKey(tenantId, ...part.key.split(':')), ...part.fields);
                    else for (const key of Object.keys(aggregate.values)) lost.add(key);
                    for (const { key } of kind.indexes(aggregate)) lost.add(key.join(':'));
                }
            }
        }
        for (const key of lost) await app.redis.unlink(tenantKey(tenantId, ...key.split(':')));
        expect(lost.size).to.be.above(THREADS * 4);
    };
});

describe('backups of a tenant to which many write', { timeout: 120_000 }, () => {
    it('have threads whose messages are as many as they say', async () => {
        const program = await startWithWorker();
        const { app } = program;
        const tenant = await newTenant(app);
        await setPlan(app, tenant.tenantId, 'enterprise');
        const threads = await addThreads(app, tenant, ['One', 'Two', 'Three']);
        for (const thread of threads) await addMessages(app, tenant, thread, 200);
        let isOver = false;
        let written = 0;
        const write = async (n: number) => {
            while (!isOver) {
                const payload = { content: 'Please count to 3' };
                const path = messagesPath(String(threads[n % threads.length]));
                const { status } = await tenant.call('POST', path, { payload });
                if (status === 200) written++;
                else await sleep(20);
            }
        };
        const writing = Promise.all(Array.from({ length: WRITERS }, (_, n) => write(n)));

        const archives = openArchives({ storage: openStorage(app.config), vault: new Vault(app.config.VAULT_KEYS) });
        const totals: number[] = [];
        for (let n = 0; n < 8 || new Set(totals).size < 4; n++) {
            const { id, state } = await newBackup(app, tenant, 'database');
            expect(state).to.equal('completed');
            let total = 0;
            for await (const aggregate of archives.read(tenant.tenantId, id)) {
                if (aggregate.kind !== 'thread') continue;
                const messages = Object.values(aggregate.values).flatMap((value) =>
                    value.type === 'stream' ? value.entries : [],
                );
                const says = hashOf(aggregate, `thread:${aggregate.id}`);
                expect(messages).to.have.length(Number(says.messageCount));
                const counts = Object.values(
                    JSON.parse(String(says.models)) as Record<string, { messageCount: number }>,
                );
                expect(counts.reduce((sum, { messageCount }) => sum + messageCount, 0)).to.equal(messages.length);
                for (const [, fields] of messages) expect(fields.map(bytesOf)).to.not.include('streaming');
                total += messages.length;
            }
            totals.push(total);
        }
        isOver = true;
        await writing;
        expect(written).to.be.above(4);
        expect(totals).to.equal(totals.toSorted((one, another) => one - another));
        await program.stop();
    });
});
