import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { createDatastore } from '../../../src/redis/datastore.ts';
import { SchemaStore } from '../../../src/redis/schema-store.ts';
import {
    addTenants,
    ALL_STEPS,
    changesOf,
    leaseKey,
    ofTenants,
    schemaKey,
    startMigrating,
    stepsOf,
} from '../../helpers/migrations.ts';
import { connectPatiently, startRedis, type TestRedis } from '../../helpers/redis.ts';
import { silentLogger } from '../../helpers/store.ts';

import type { Redis } from 'ioredis';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const NAMES = Array.from({ length: 45 }, (_, n) => `t${n}`);
const TAKEN_OVER = 'Another process has taken the migration over';
const MIGRATING = /"msg":"Migrating the store"/g;

async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
    while (!(await isSo())) await sleep(5);
}

describe('processes that migrate a store', { timeout: 60_000 }, () => {
    let server: TestRedis;
    let redis: Redis;
    let ids: string[] = [];

    before(async () => {
        server = await startRedis();
        redis = await connectPatiently({ path: server.path }, silentLogger);
    });

    beforeEach(async () => {
        await redis.flushall();
        ids = await addTenants(redis, ...NAMES);
    });

    after(async () => {
        redis.disconnect();
        await server.stop();
    });

    const schemaNumber = () => redis.hget(schemaKey, 'number');
    const cursor = () => redis.hget(schemaKey, 'cursor');

    it('goes on exactly where a killed one was', async () => {
        const killed = startMigrating(server.path, { delayMs: 30 });
        await until(async () => (await schemaNumber()) === '3' && (await cursor()) === '5');
        killed.signal('SIGKILL');
        expect(await killed.end).to.be.null();
        const [left, before] = [Number(await cursor()), await stepsOf(redis)];
        // The step in which it died may be done: its cursor was not kept.
        expect(left - before.length).to.be.within(-1, 0);

        // Its lease has to run out first.
        await redis.pexpire(leaseKey, 300);
        const next = startMigrating(server.path);
        expect(await next.end).to.equal(0);
        expect(await stepsOf(redis)).to.equal([...before, ...ALL_STEPS.slice(left)]);
        expect(await schemaNumber()).to.equal('4');
        for (const changes of await changesOf(redis, ids)) expect(changes).to.equal(['2', '3']);
        expect(next.log()).to.include('"isResumed":true');
    });

    it('changes no tenant again that a killed one has changed', async () => {
        const killed = startMigrating(server.path, { delayMs: 30 });
        await until(async () => (await changesOf(redis, ids)).some((changes) => changes.includes('3')));
        killed.signal('SIGKILL');
        await killed.end;
        expect(await schemaNumber()).to.equal('2');
        await redis.pexpire(leaseKey, 100);
        expect(await startMigrating(server.path, { schema: 3 }).end).to.equal(0);
        for (const changes of await changesOf(redis, ids)) expect(changes).to.equal(['2', '3']);
    });

    for (const many of [2, 8]) {
        it(`does each step once when ${many} begin at once, and lets none go on before it is done`, async () => {
            const processes = Array.from({ length: many }, () => startMigrating(server.path, { delayMs: 10 }));
            const numbers = await Promise.all(processes.map(({ end }) => end.then(schemaNumber)));
            expect(await Promise.all(processes.map(({ end }) => end))).to.equal(Array(many).fill(0));
            expect(numbers).to.equal(Array(many).fill('4'));
            for (const changes of await changesOf(redis, ids)) expect(changes).to.equal(['2', '3']);
            expect(await stepsOf(redis)).to.equal(ALL_STEPS);
            const begun = processes.map(({ log }) => log().match(MIGRATING)?.length ?? 0);
            expect(begun.toSorted((one, other) => one - other)).to.equal([...Array(many - 1).fill(0), 3]);
        });
    }

    it('takes over from one that hangs past its lease, which can change nothing when it comes back', async () => {
        const hung = startMigrating(server.path, { leaseMs: 500, delayMs: 200, schema: 3 });
        // In the middle of a step: those that it was at are still to be changed.
        await until(async () => (await cursor())?.includes('"tenants"') === true);
        await sleep(50);
        hung.signal('SIGSTOP');
        expect(await schemaNumber()).to.equal('1');

        const next = startMigrating(server.path, { schema: 3 });
        expect(await next.end).to.equal(0);
        const done = await changesOf(redis, ids);
        for (const changes of done) expect(changes).to.equal(['2', '3']);
        const schema = await redis.hgetall(schemaKey);

        hung.signal('SIGCONT');
        expect(await hung.end).to.equal(0);
        expect(hung.log()).to.include(TAKEN_OVER);
        expect(await changesOf(redis, ids)).to.equal(done);
        expect(await redis.hgetall(schemaKey)).to.equal(schema);
        expect(schema.number).to.equal('3');
    });

    it('keeps the lease as long as it lives, however long a step takes', async () => {
        const slow = startMigrating(server.path, { leaseMs: 600, delayMs: 1_500, schema: 2 });
        await until(async () => (await redis.exists(leaseKey)) === 1);
        const quick = startMigrating(server.path, { leaseMs: 600, schema: 2 });
        expect(await Promise.all([slow.end, quick.end])).to.equal([0, 0]);
        expect(slow.log()).to.not.include(TAKEN_OVER);
        expect(quick.log()).to.include('Another process migrates the store: waiting');
        expect(quick.log().match(MIGRATING)).to.be.null();
    });

    it('keeps nothing of one whose lease is lost, or that does what is done', async () => {
        const store = createDatastore(redis);
        const [first, second] = ['first', 'second'].map((holder) => new SchemaStore(store, holder, 60_000)) as [
            SchemaStore,
            SchemaStore,
        ];
        await first.open({ number: 3, oldest: 1 }, '0.9.0');
        expect([await first.take(), await first.take(), await second.take()]).to.equal([true, true, false]);
        expect(await first.save(ofTenants(2, 1), 'a')).to.be.true();
        await redis.del(leaseKey);
        expect(await first.save(ofTenants(2, 1), 'b')).to.be.false();
        expect(await second.take()).to.be.true();
        expect(await first.save(ofTenants(2, 1), 'b')).to.be.false();
        expect(await first.finish(ofTenants(2, 1), '0.9.0')).to.be.false();
        await first.release();
        await first.renew();
        expect((await second.read())?.cursor).to.equal('a');

        expect(await second.finish(ofTenants(2, 1), '0.9.0')).to.be.true();
        expect(await second.finish(ofTenants(2, 1), '0.9.0')).to.be.false();
        expect(await second.save(ofTenants(2, 1), 'c')).to.be.false();
        expect(await second.save(ofTenants(4, 1), 'c')).to.be.false();
        expect(await second.read()).to.equal({ number: 2, oldest: 1, program: '0.9.0', cursor: '' });
        await second.release();
        expect(await second.isHeld()).to.be.false();
    });
});
