import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { createDatastore } from '../../../src/redis/datastore.ts';
import { migrationNote } from '../../../src/redis/each-tenant.ts';
import { PLATFORM } from '../../../src/redis/keys.ts';
import { checkSchema, migrate } from '../../../src/redis/migrate.ts';
import { checkMigrations, MIGRATIONS, type Migration } from '../../../src/redis/migrations.ts';
import { SchemaStore } from '../../../src/redis/schema-store.ts';
import { notingLogger } from '../../helpers/logger.ts';
import {
    addTenants,
    ALL_STEPS,
    changesOf,
    claimTenant,
    leaseKey,
    ofTenants,
    schemaKey,
    stepsOf,
    testMigrations,
} from '../../helpers/migrations.ts';
import { connectPatiently, startRedis, type TestRedis } from '../../helpers/redis.ts';
import { silentLogger } from '../../helpers/store.ts';

import type { Redis } from 'ioredis';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const NAMES = Array.from({ length: 45 }, (_, n) => `t${n}`);

describe('migrate', () => {
    let server: TestRedis;
    let redis: Redis;
    const { logger, messages: logs } = notingLogger();

    before(async () => {
        server = await startRedis();
        redis = await connectPatiently({ path: server.path }, silentLogger);
    });

    beforeEach(async () => {
        await redis.flushall();
        logs.length = 0;
    });

    after(async () => {
        redis.disconnect();
        await server.stop();
    });

    const run = (migrations: Migration[], program = '0.9.0', told?: Promise<unknown>) =>
        migrate({ store: createDatastore(redis), logger, program, migrations, ...(told && { told }) });

    const refusal = (migrations: Migration[], program?: string) =>
        run(migrations, program).then(
            () => 'It was not refused',
            (error: Error) => error.message,
        );

    const history = async () => {
        const entries = await new SchemaStore(createDatastore(redis), 'reader', 0).history();
        return entries.map(({ number, name, program }) => ({ number, name, program }));
    };

    it('has its migrations numbered in order, each readable by a version before it', () => {
        checkMigrations(MIGRATIONS);
        checkMigrations(testMigrations());
        expect(() => checkMigrations([ofTenants(3, 1)])).to.throw('Migration test-3 must have the number 2');
        const leaves = (number: number) => `must leave what schema ${number} or one before it can work with`;
        expect(() => checkMigrations([ofTenants(2, 2)])).to.throw(`Migration test-2 ${leaves(1)}`);
        const forgetful = [ofTenants(2, 1), ofTenants(3, 2), ofTenants(4, 1)];
        expect(() => checkMigrations(forgetful)).to.throw(`Migration test-4 ${leaves(3)}`);
    });

    it('has a new store at the schema of the program at once', async () => {
        expect(await run(testMigrations())).to.equal(4);
        expect(await stepsOf(redis)).to.equal([]);
        expect(await redis.hgetall(schemaKey)).to.equal({ number: '4', oldest: '3', program: '0.9.0' });
        expect(await history()).to.equal([{ number: 4, name: 'new', program: '0.9.0' }]);
        // Tenants that came since are in its form.
        const ids = await addTenants(redis, 'ada');
        expect(await run(testMigrations())).to.equal(4);
        expect(await changesOf(redis, ids)).to.equal([[]]);
        expect(logs).to.equal([]);
    });

    it('takes a store of before there were schemas for the baseline, and has nothing to do in it', async () => {
        await addTenants(redis, 'ada');
        expect(await run([])).to.equal(1);
        expect(await redis.hgetall(schemaKey)).to.equal({ number: '1', oldest: '1', program: '0.9.0' });
        expect(await history()).to.equal([{ number: 1, name: 'baseline', program: '0.9.0' }]);
        expect(await redis.exists(leaseKey)).to.equal(0);
    });

    for (const from of [1, 2, 3]) {
        it(`migrates all tenants from schema ${from} to the newest, each once`, async () => {
            const ids = [...(await addTenants(redis, ...NAMES)), PLATFORM];
            await redis.zadd('tenant:{platform}:tenants', 1, PLATFORM);
            ids.push(await claimTenant(redis, 'claimed'));
            await run(testMigrations().slice(0, from - 1), '0.8.0');
            expect(await redis.hget(schemaKey, 'number')).to.equal(String(from));

            expect(await run(testMigrations())).to.equal(4);
            for (const changes of await changesOf(redis, ids)) expect(changes).to.equal(['2', '3']);
            expect(await stepsOf(redis)).to.equal(ALL_STEPS);
            const programs = (await history()).map(({ number, program }) => `${number} ${program}`);
            expect(programs).to.equal([1, 2, 3, 4].map((number) => `${number} ${number <= from ? '0.8.0' : '0.9.0'}`));
            expect(await redis.hgetall(schemaKey)).to.equal({ number: '4', oldest: '3', program: '0.9.0' });
            expect(await redis.exists(leaseKey)).to.equal(0);
        });
    }

    it('forgets in a week what it noted of a tenant', async () => {
        const [id = ''] = await addTenants(redis, 'ada');
        await run([ofTenants(2, 1)]);
        expect(await redis.ttl(migrationNote(id))).to.be.between(604_700, 604_801);
    });

    it('migrates tenants that come while it goes on', async () => {
        const ids = await addTenants(redis, ...NAMES);
        let isLate = true;
        const late: Migration = {
            ...ofTenants(2, 1),
            prepare: (store) => {
                const step = ofTenants(2, 1).prepare(store);
                return async (cursor) => {
                    if (cursor.includes('"tenants"') && isLate) {
                        isLate = false;
                        ids.push(...(await addTenants(redis, 'zoe')));
                    }
                    return step(cursor);
                };
            },
        };
        await run([late]);
        expect(isLate).to.be.false();
        for (const changes of await changesOf(redis, ids)) expect(changes).to.equal(['2']);
    });

    it('lets an older program work with a newer store where the newest migration says so', async () => {
        await addTenants(redis, 'ada');
        await run(testMigrations().slice(0, 2), '0.9.0');
        expect(await run([], '0.8.0')).to.equal(3);
        expect(logs.at(-1)).to.equal('The store is newer, and this program may use it');
        await run(testMigrations(), '1.0.0');
        expect(await run(testMigrations().slice(0, 2), '0.9.0')).to.equal(4);
        // It is as it was when the newer program is back.
        expect(await redis.hget(schemaKey, 'program')).to.equal('1.0.0');
        expect(await run(testMigrations(), '1.0.0')).to.equal(4);
    });

    it('refuses to work with a newer store where it says that older programs cannot', async () => {
        await addTenants(redis, 'ada');
        await run(testMigrations(), '1.0.0');
        expect(await refusal(testMigrations().slice(0, 1), '0.8.0')).to.equal(
            'The store is at schema 4, brought there by version 1.0.0, and programs older than schema 3 cannot work ' +
                'with it; this one, version 0.8.0, has schema 2: run version 1.0.0 or a newer one.',
        );
        expect(await redis.hgetall(schemaKey)).to.equal({ number: '4', oldest: '3', program: '1.0.0' });
    });

    it('has commands refused where the store is too old or too new for them', async () => {
        const check = (migrations: Migration[]) =>
            checkSchema({ store: createDatastore(redis), program: '0.9.0', migrations }).then(
                () => 'fits',
                (error: Error) => error.message,
            );
        await addTenants(redis, 'ada');
        const old = 'The store is at schema 1, and this program at 4: run `npm run migrate` first.';
        expect(await check(testMigrations())).to.equal(old);
        expect(await check([])).to.equal('fits');
        await run(testMigrations(), '1.0.0');
        expect(await check(testMigrations())).to.equal('fits');
        expect(await check(testMigrations().slice(0, 2))).to.equal('fits');
        expect(await check([])).to.startWith('The store is at schema 4, brought there by version 1.0.0, and programs');
    });

    it('stays where it is when a migration fails, says so, and goes on from there when that is mended', async () => {
        const ids = await addTenants(redis, ...NAMES);
        // In another type than it should be.
        await redis.set('tenant:{tenant_t7}:changes', 'x');
        const [second, ...others] = testMigrations();
        const failed = await refusal([second as Migration, ...others]);
        expect(failed).to.startWith('Migration 2 (test-2) failed, and the store stays at schema 1: ');
        expect(failed).to.include('WRONGTYPE');
        expect(logs).to.equal(['Migrating the store', 'A migration failed']);
        expect(await redis.hget(schemaKey, 'number')).to.equal('1');
        expect(await redis.exists(leaseKey)).to.equal(0);

        await redis.del('tenant:{tenant_t7}:changes');
        expect(await run(testMigrations())).to.equal(4);
        for (const changes of await changesOf(redis, ids)) expect(changes).to.equal(['2', '3']);
    });

    it('ends between two steps when the process is to stop, and the next one goes on', async () => {
        await addTenants(redis, 'ada');
        await run([]);
        let tell = () => {};
        const told = new Promise<void>((resolve) => (tell = resolve));
        const [second, third, fourth] = testMigrations() as [Migration, Migration, Migration];
        const stopping: Migration = {
            ...fourth,
            prepare: (store) => {
                const step = fourth.prepare(store);
                return (cursor) => {
                    if (cursor === '4') tell();
                    return step(cursor);
                };
            },
        };
        const ended = await run([second, third, stopping], '0.9.0', told).catch((error: Error) => error.message);
        expect(ended).to.equal('The process was told to stop before the store was migrated.');
        expect(await redis.hgetall(schemaKey)).to.include({ number: '3', cursor: '5' });
        expect(await redis.exists(leaseKey)).to.equal(0);

        expect(await run(testMigrations())).to.equal(4);
        expect(await stepsOf(redis)).to.equal(ALL_STEPS);
    });
});
