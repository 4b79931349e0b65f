import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import { Cluster, Redis } from 'ioredis';

import { Replication } from '../../../src/redis/replication.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { connectPatiently, startReplicated, type ReplicatedRedis, type TestRedis } from '../../helpers/redis.ts';
import { silentLogger } from '../../helpers/store.ts';

export const lab = Lab.script();
const { describe, it, before, after, afterEach } = lab;

const FOUNDING = { tenantName: 'Acme', email: 'ada@acme.example', password: 'correct horse battery staple' };

describe('Replication', () => {
    let servers: ReplicatedRedis;
    let master: TestRedis;
    let replica: TestRedis;
    let redis: Redis;
    let onReplica: Redis;
    let app: TestApp;

    before(async () => {
        servers = await startReplicated();
        ({ master, replica } = servers);
        redis = await connectPatiently({ path: master.path }, silentLogger);
        onReplica = await connectPatiently({ path: replica.path }, silentLogger);
        app = await startApp({ redisPath: master.path, config: { REDIS_WAIT_REPLICAS: 1 } });
    });

    afterEach(() => {
        process.kill(replica.pid, 'SIGCONT');
    });

    after(async () => {
        await app.stop();
        redis.disconnect();
        onReplica.disconnect();
        await servers.stop();
    });

    it('waits until the replica has what was written on another connection', async () => {
        const replication = new Replication(redis, 1);
        await redis.set('written', 'before');
        await replication.reached(replication.epoch);
        expect(await onReplica.get('written')).to.equal('before');
    });

    it('does not take an answer to an earlier wait for its own', async () => {
        const replication = new Replication(redis, 1);
        await Promise.all(
            Array.from({ length: 200 }, async (_, n) => {
                await redis.set(`many:${n}`, 'written');
                await replication.reached(replication.epoch);
                expect(await onReplica.get(`many:${n}`)).to.equal('written');
            }),
        );
    });

    it('asks once for all that wait at the same time', async () => {
        const replication = new Replication(redis, 1);
        await replication.reached(replication.epoch);
        await redis.config('RESETSTAT');
        await Promise.all(Array.from({ length: 100 }, () => replication.reached(replication.epoch)));
        const calls = /^cmdstat_wait:calls=(\d+)/m.exec(await redis.info('commandstats'))?.[1];
        expect(Number(calls)).to.be.between(0, 3);
    });

    it('fails when too few replicas have it in time, and not when they have it again', async () => {
        const replication = new Replication(redis, 1);
        process.kill(replica.pid, 'SIGSTOP');
        await redis.set('lonely', 'yes');
        await expect(replication.reached(replication.epoch)).to.reject(Error, '0 of 1 replicas have it');
        process.kill(replica.pid, 'SIGCONT');
        await replication.reached(replication.epoch);
    });

    it('fails when the connection was lost since it was written', async () => {
        const replication = new Replication(redis, 1);
        const { epoch } = replication;
        const closed = once(redis, 'close');
        redis.disconnect(true);
        await closed;
        await once(redis, 'ready');
        await expect(replication.reached(epoch)).to.reject(Error, /was lost/);
        await replication.reached(replication.epoch);
    });

    it('does not take the word of another server than the one that was written to', async () => {
        const other = await startReplicated();
        const places = [master.path];
        const front = createServer((socket) => {
            const server = connect(places.shift() ?? other.master.path);
            void pipeline(socket, server, socket).catch(() => undefined);
        });
        await once(front.listen(0, '127.0.0.1'), 'listening');
        const { port } = front.address() as AddressInfo;
        const behind = await connectPatiently({ url: `redis://127.0.0.1:${port}` }, silentLogger);
        const replication = new Replication(behind, 1);
        await behind.set('written', 'to the first');
        await expect(replication.reached(replication.epoch)).to.reject(Error, /^Another server was asked/);

        places.push(...Array.from({ length: 10 }, () => master.path));
        const reached = () => replication.reached(replication.epoch).then(() => true);
        while (!(await reached().catch(() => false))) await sleep(20);
        behind.disconnect();
        front.close();
        await other.stop();
    });

    it('does not count a replica of a cluster that goes as a loss, as it does a master', () => {
        const cluster = new Cluster([{ port: 1 }], { lazyConnect: true });
        const replication = new Replication(cluster, 1);
        const { epoch } = replication;
        cluster.emit('-node', new Redis({ lazyConnect: true, readOnly: true }));
        expect(replication.epoch).to.equal(epoch);
        cluster.emit('-node', new Redis({ lazyConnect: true, readOnly: false }));
        expect(replication.epoch).to.be.above(epoch);
    });

    it('counts a master of a cluster that becomes a replica as lost', () => {
        const [first, second] = [new Redis({ lazyConnect: true }), new Redis({ lazyConnect: true })];
        const cluster = new Cluster([{ port: 1 }], { lazyConnect: true });
        let masters = [first, second];
        cluster.nodes = () => masters;
        const replication = new Replication(cluster, 1);
        const { epoch } = replication;
        cluster.emit('refresh');
        expect(replication.epoch).to.equal(epoch);
        masters = [second];
        cluster.emit('refresh');
        expect(replication.epoch).to.be.above(epoch);
    });

    it('has a change answered that the replica has, and refuses one that it has not; reads go on', async () => {
        const register = (domain: string) =>
            app.call('POST', '/api/auth/register', { payload: { ...FOUNDING, domain } });
        const registered = await register('one.example');
        expect(registered.status).to.equal(201);
        const token = registered.body.data.accessToken as string;
        const create = () => app.call('POST', '/api/threads', { token, payload: { title: 'Kept' } });
        const kept = await create();
        expect(kept.status).to.equal(201);

        process.kill(replica.pid, 'SIGSTOP');
        expectError(await create(), 'STORE_UNAVAILABLE');
        expect((await app.call('GET', '/api/threads', { token })).status).to.equal(200);
        // What is refused for itself changes nothing that had to be waited for.
        expectError(await app.call('POST', '/api/threads', { token, payload: { title: 7 } }), 'VALIDATION_ERROR');

        process.kill(replica.pid, 'SIGCONT');
        expect((await create()).status).to.equal(201);
    });
});
