import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { eventId } from '../../../plugins/events/event-id.ts';
import { outboxKeys } from '../../../src/redis/outbox.ts';
import { appendMany, Handed, newConsumer, startWorker, until, type TestWorker } from '../../helpers/events.ts';
import { newTenantId } from '../../helpers/store.ts';

import type { RelayParts } from '../../../plugins/events/relay.ts';

export const lab = Lab.script();
const { describe, it, beforeEach, afterEach } = lab;

describe('the relay of events', () => {
    let workers: TestWorker[];
    let tenantId: string;
    let name: string;
    let handed: Handed;

    beforeEach(() => {
        workers = [];
        tenantId = newTenantId();
        name = newConsumer();
        handed = new Handed();
    });

    afterEach(() => Promise.all(workers.map((worker) => worker.stop())));

    const start = async (take = handed.take, options: Partial<RelayParts> = {}): Promise<TestWorker> => {
        const worker = await startWorker(options);
        workers.push(worker);
        worker.relay.consume({ name, take });
        return worker;
    };
    const written = async ({ redis }: TestWorker, tenant = tenantId): Promise<string[]> => {
        const entries = await redis.xrange(outboxKeys(tenant)[0], '-', '+');
        return entries.map(([id]) => eventId(tenant, id));
    };
    const pending = async ({ redis }: TestWorker): Promise<number> =>
        Number((await redis.xpending(outboxKeys(tenantId)[0], name))[0]);

    it('hands over what is appended from the subscription on, with id, type, time and data', async () => {
        const worker = await start();
        await worker.append(tenantId, { events: [{ type: 'thread.created', data: { threadId: 'before' } }] });
        await worker.store.subscribe(tenantId, name);
        await worker.store.subscribe(tenantId, name);
        worker.relay.start();
        await worker.append(tenantId, { events: [{ type: 'thread.deleted', data: { threadId: 'after' } }] });
        await until(() => handed.calls.length > 0, 'an event is handed over');
        const [{ events } = { events: [] }] = handed.calls;
        expect(events).to.have.length(1);
        expect(events[0]).to.include({ type: 'thread.deleted', data: { threadId: 'after' } });
        expect(events[0]?.id).to.equal((await written(worker))[1]);
        expect(Math.abs(Date.parse(String(events[0]?.timestamp)) - Date.now())).to.be.below(60_000);
        await until(async () => (await pending(worker)) === 0, 'it is acknowledged');
    });

    it('hands each event to one of two processes, whoever appends at the same time', async () => {
        const [one, other] = [await start(), await start()];
        await one.store.subscribe(tenantId, name);
        for (const { relay } of workers) relay.start();
        await Promise.all(
            Array.from({ length: 10 }, (_, n) => appendMany(n % 2 ? one.append : other.append, tenantId, 150)),
        );
        await until(() => handed.ids(tenantId).length >= 1_500, 'all are handed over');
        await until(async () => (await pending(one)) === 0, 'all are acknowledged');
        expect(handed.ids(tenantId).toSorted()).to.equal(await written(one));
    });

    it('hands over again what a process had that died before it acknowledged', async () => {
        const dying = await start(
            async (tenant, events) => {
                await handed.take(tenant, events);
                dying.redis.disconnect();
            },
            { freeAfterMs: 400 },
        );
        await dying.store.subscribe(tenantId, name);
        dying.relay.start();
        await appendMany(dying.append, tenantId, 3);
        await until(() => handed.calls.length === 1, 'it takes them and dies');
        const dead = handed.ids(tenantId);
        expect(dead).to.have.length(3);
        const heir = await start(handed.take, { freeAfterMs: 400 });
        heir.relay.start();
        // What comes later wakes the heir, who takes what is left too.
        const times = () => handed.ids(tenantId).filter((id) => dead.includes(id)).length;
        await until(async () => {
            await appendMany(heir.append, tenantId, 1);
            return times() === 6;
        }, 'they are handed over again');
        const all = await written(heir);
        const byHeir = () => handed.calls.slice(1).flatMap(({ events }) => events.map(({ id }) => id));
        await until(() => byHeir().length === all.length, 'all are handed over');
        expect(byHeir().toSorted()).to.equal(all);
    });

    it('takes nothing from a process that is slow but alive', async () => {
        const slow = await start(
            async (tenant, events) => {
                await sleep(3_000);
                await handed.take(tenant, events);
            },
            { freeAfterMs: 1_500 },
        );
        const second = new Handed();
        const other = await start(second.take, { freeAfterMs: 1_500 });
        await slow.store.subscribe(tenantId, name);
        slow.relay.start();
        await appendMany(slow.append, tenantId, 1);
        await until(async () => (await pending(slow)) === 1, 'the slow one has it');
        // The other one asks all the time.
        while (handed.calls.length === 0) {
            const found = await other.store.take(tenantId, name, { most: 100, freeAfterMs: 1_500 });
            expect(found?.ids).to.equal([]);
            await sleep(20);
        }
        expect(handed.ids(tenantId)).to.equal(await written(slow));
    });

    it('tries again what a consumer failed at, and hands over nothing else of the tenant meanwhile', async () => {
        let fails = 3;
        const seen: number[] = [];
        const take = async (tenant: string, events: Parameters<typeof handed.take>[1]) => {
            seen.push(events.length);
            if (fails-- > 0) throw new Error('Not now');
            await handed.take(tenant, events);
        };
        const worker = await start(take, { firstRetryMs: 50, freeAfterMs: 5_000 });
        await worker.store.subscribe(tenantId, name);
        worker.relay.start();
        await appendMany(worker.append, tenantId, 2);
        await until(() => seen.length === 1, 'it has failed');
        await appendMany(worker.append, tenantId, 1);
        await until(() => handed.ids(tenantId).length === 3, 'all are handed over');
        expect(handed.ids(tenantId)).to.equal(await written(worker));
        expect(seen).to.equal([2, 2, 2, 2, 1]);
    });

    it('finds events of which no signal came', async () => {
        const worker = await start();
        await worker.store.subscribe(tenantId, name);
        await worker.redis.xadd(outboxKeys(tenantId)[0], '*', 'type', 'thread.updated', 'data', '{}');
        worker.relay.start();
        await until(() => handed.calls.length === 1, 'it is found');
        expect(handed.ids(tenantId)).to.equal(await written(worker));
    });

    it('is not stopped by events that were trimmed before they were done with', async () => {
        const worker = await start(handed.take, { freeAfterMs: 100 });
        await worker.store.subscribe(tenantId, name);
        await appendMany(worker.append, tenantId, 5);
        // As by a process that dies.
        expect((await worker.store.take(tenantId, name, { most: 5, freeAfterMs: 100 }))?.ids).to.have.length(5);
        await worker.redis.xtrim(outboxKeys(tenantId)[0], 'MAXLEN', 1);
        await sleep(150);
        worker.relay.start();
        await until(() => handed.calls.length > 0, 'what is left is handed over');
        expect(handed.ids(tenantId)).to.equal(await written(worker));
        await until(async () => (await pending(worker)) === 0, 'nothing is left to do');
    });

    it('hands over no more when the consumer has unsubscribed', async () => {
        const worker = await start();
        await worker.store.subscribe(tenantId, name);
        await appendMany(worker.append, tenantId, 5);
        await worker.store.unsubscribe(tenantId, name);
        await worker.store.unsubscribe(tenantId, name);
        const other = newTenantId();
        await worker.store.subscribe(other, name);
        worker.relay.start();
        await appendMany(worker.append, tenantId, 5);
        await appendMany(worker.append, other, 1);
        await until(() => handed.ids(other).length === 1, 'another tenant’s is handed over');
        await sleep(50);
        expect(handed.ids(tenantId)).to.equal([]);
        expect(await worker.store.take(tenantId, name, { most: 1, freeAfterMs: 1 })).to.be.null();
    });

    it('lets no tenant with many events hold up another', async () => {
        const worker = await start();
        const many = Array.from({ length: 6 }, newTenantId);
        for (const tenant of many) {
            await worker.store.subscribe(tenant, name);
            await appendMany(worker.append, tenant, tenant === many[0] ? 10_000 : 1_000);
        }
        await worker.store.subscribe(tenantId, name);
        await appendMany(worker.append, tenantId, 1);
        worker.relay.start();
        const all = 15_001;
        const count = () => handed.calls.reduce((sum, { events }) => sum + events.length, 0);
        await until(() => count() === all, 'all are handed over');
        const turn = handed.calls.findIndex((call) => call.tenantId === tenantId);
        // Each of the others had its turn once, and those that are served at the same time perhaps a second time.
        expect(turn).to.be.below(15);
        const last = (tenant: string | undefined) => handed.calls.findLastIndex((call) => call.tenantId === tenant);
        expect(last(many[5])).to.be.below(last(many[0]));
        expect(handed.calls.every(({ events }) => events.length <= 100)).to.be.true();
        expect(handed.ids(many[0] ?? '')).to.equal(await written(worker, many[0]));
    });

    it('waits for what is being handed over when it stops, and takes nothing more', async () => {
        const worker = await start(async (tenant, events) => {
            await sleep(300);
            await handed.take(tenant, events);
        });
        await worker.store.subscribe(tenantId, name);
        worker.relay.start();
        await appendMany(worker.append, tenantId, 250);
        await until(async () => (await pending(worker)) > 0, 'it has begun');
        await worker.relay.stop(AbortSignal.timeout(10_000));
        expect(handed.calls).to.have.length(1);
        expect(await pending(worker)).to.equal(0);
    });
});
