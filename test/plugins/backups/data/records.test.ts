import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../../src/redis/keys.ts';
import { aggregateReader } from '../../../../src/redis/stored-values.ts';
import { openQueue } from '../../../helpers/jobs.ts';
import { startWithProvider } from '../../../helpers/provider-keys.ts';
import { sharedRedis } from '../../../helpers/redis.ts';
import { answerWithSummaries, converse, summarizePath } from '../../../helpers/summary.ts';
import { readAll, restore, tenantData, wipe } from '../../../helpers/tenant-data.ts';
import { newTenant, type TestTenant } from '../../../helpers/tenant.ts';
import { messagesPath, newThread } from '../../../helpers/thread.ts';
import { newEndpoint, newShare, newTunnel } from '../../../helpers/tunnel.ts';
import { newUser } from '../../../helpers/user.ts';

import type { TenantData } from '../../../../plugins/backups/api.ts';
import type { Aggregate, StoredValue } from '../../../../src/redis/aggregate.ts';
import type { TestApp } from '../../../helpers/app.ts';

export const lab = Lab.script();
const { describe, it, before, after, beforeEach } = lab;

describe('what follows from records', () => {
    let app: TestApp;
    let data: TenantData;
    let tenant: TestTenant;
    let end: () => Promise<void>;

    before(async () => {
        const { app: started, provider } = await startWithProvider();
        answerWithSummaries(provider);
        app = started;
        end = async () => {
            await app.stop();
            await provider.stop();
        };
        data = tenantData(app);
    });
    after(() => end());
    beforeEach(async () => {
        tenant = await newTenant(app);
    });

    /** Every list of the tenant, as it is told; words by their sorted text. */
    async function lists(): Promise<Record<string, StoredValue>> {
        const read = aggregateReader(app.store);
        const all = await app.redis.keys(tenantKey(tenant.tenantId, '*'));
        const isList = /:(users(:[a-z-]+)?|threads:[a-z]+|keys|tunnels(:names)?|endpoints|shares|shared-[a-z]+)$/;
        const found = await read(
            tenant.tenantId,
            'list',
            'list',
            all.filter((key) => isList.test(key)),
        );
        return found?.values ?? {};
    }

    it('is made anew as scripts had made it', async () => {
        const bob = await newUser(app, tenant.tenantId, 'user');
        await newThread(bob, 'The thread of Bob, which he calls so');
        const thread = await newThread(tenant, 'Grüße and Quinces');
        await converse(tenant, messagesPath(thread), ['One', 'Two']);
        expect((await tenant.call('POST', summarizePath(thread))).status).to.equal(200);
        const tunnel = await newTunnel(tenant, 'Ollama-at-HOME');
        await newEndpoint(tenant, tunnel);
        await newShare(tenant, tunnel, { userId: bob.userId });
        const was = await lists();
        expect(Object.keys(was).length).to.be.above(15);
        const all = await readAll(data, tenant.tenantId);
        await wipe(app.redis, tenant.tenantId);
        await restore(data, tenant.tenantId, all);
        expect(await lists()).to.equal(was);
    });

    it('is of threads that are whole, however many write while they are read', async () => {
        const threads = await Promise.all(Array.from({ length: 3 }, (_, n) => newThread(tenant, `Thread ${n}`)));
        let isOver = false;
        const write = async (thread: string) => {
            for (let n = 0; n < 6 && !isOver; n++) {
                await tenant.call('POST', messagesPath(thread), { payload: { content: `Message ${n}` } });
            }
        };
        const writing = Promise.all(threads.map(write));
        let checked = 0;
        const check = async () => {
            for (const { kind, id, values } of await readAll(data, tenant.tenantId)) {
                if (kind !== 'thread') continue;
                const count = fieldOf(values[`thread:${id}`], 'messageCount');
                const stored = Object.values(values).reduce(
                    (sum, value) => sum + (value.type === 'stream' ? value.entries.length : 0),
                    0,
                );
                expect(stored).to.equal(Number(count));
                if (stored > 0) checked++;
            }
        };
        for (let n = 0; n < 40; n++) await check();
        isOver = true;
        await writing;
        await check();
        expect(checked).to.be.above(3);
    });

    it('leaves out what belongs to a user who came during the backup', async () => {
        const bob = await newUser(app, tenant.tenantId, 'user');
        await newThread(bob, 'Of Bob');
        const all = await readAll(data, tenant.tenantId);
        await restore(
            data,
            tenant.tenantId,
            all.filter(({ id }) => id !== bob.userId),
        );
        const now = await readAll(data, tenant.tenantId);
        expect(now.filter(({ kind }: Aggregate) => kind === 'thread')).to.equal([]);
    });

    it('keeps sessions, but not those that have ended since', async () => {
        const [bob, eve] = [await newUser(app, tenant.tenantId, 'user'), await newUser(app, tenant.tenantId, 'user')];
        const all = await readAll(data, tenant.tenantId);
        for (const isActive of [false, true]) {
            const { status } = await tenant.call('PATCH', `/api/users/${bob.userId}`, { payload: { isActive } });
            expect(status).to.equal(200);
        }
        expect((await bob.call('GET', '/api/threads')).status).to.equal(401);
        await restore(data, tenant.tenantId, all);
        expect((await bob.call('GET', '/api/threads')).status).to.equal(401);
        expect((await eve.call('GET', '/api/threads')).status).to.equal(200);
    });

    it('asks for the purge of users who are deleted', async () => {
        const bob = await newUser(app, tenant.tenantId, 'user');
        expect((await tenant.call('DELETE', `/api/users/${bob.userId}`)).status).to.equal(200);
        const all = await readAll(data, tenant.tenantId);
        const { delayed, close } = await openQueue((await sharedRedis()).path);
        const asked = async () => (await delayed()).filter(({ data: { userId } }) => userId === bob.userId).length;
        expect(await asked()).to.equal(1);
        await restore(data, tenant.tenantId, all);
        expect(await asked()).to.equal(2);
        await close();
    });
});

const fieldOf = (value: StoredValue | undefined, name: string) =>
    value?.type === 'hash' ? value.fields.find(([field]) => field === name)?.[1] : undefined;
