import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { createDatastore } from '../../../src/redis/datastore.ts';
import { migrate } from '../../../src/redis/migrate.ts';
import { Replication } from '../../../src/redis/replication.ts';
import { addTenants, changesOf, ofTenants, schemaKey } from '../../helpers/migrations.ts';
import { connectPatiently, startReplicated, type ReplicatedRedis } from '../../helpers/redis.ts';
import { silentLogger } from '../../helpers/store.ts';

import type { Redis } from 'ioredis';
import type { Migration } from '../../../src/redis/migrations.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

describe('migrate with replicas', { timeout: 30_000 }, () => {
    let servers: ReplicatedRedis;
    let redis: Redis;
    let onReplica: Redis;

    before(async () => {
        servers = await startReplicated();
        redis = await connectPatiently({ path: servers.master.path }, silentLogger);
        onReplica = await connectPatiently({ path: servers.replica.path }, silentLogger);
    });

    after(async () => {
        redis.disconnect();
        onReplica.disconnect();
        await servers.stop();
    });

    it('notes a step as done only when replicas have what it wrote, and does it again until then', async () => {
        const ids = await addTenants(redis, 'ada', 'bob');
        const program = '0.9.0';
        await migrate({ store: createDatastore(redis), logger: silentLogger, program, migrations: [] });

        const steps: string[] = [];
        const counted: Migration = {
            ...ofTenants(2, 1),
            prepare: (store) => {
                const step = ofTenants(2, 1).prepare(store);
                return (cursor) => {
                    steps.push(cursor);
                    // Tenants are at the second step.
                    if (cursor !== '' && steps.length === 2) process.kill(servers.replica.pid, 'SIGSTOP');
                    return step(cursor);
                };
            },
        };
        const replication = new Replication(redis, 1);
        const options = { store: createDatastore(redis), replication, logger: silentLogger, program };
        const migrating = migrate({ ...options, migrations: [counted] });
        while (steps.length < 3) await sleep(5);
        expect(new Set(steps.slice(1)).size).to.equal(1);
        expect(await changesOf(redis, ids)).to.equal([['2'], ['2']]);
        expect(await redis.hget(schemaKey, 'number')).to.equal('1');

        process.kill(servers.replica.pid, 'SIGCONT');
        expect(await migrating).to.equal(2);
        expect(await changesOf(onReplica, ids)).to.equal([['2'], ['2']]);
    });
});
