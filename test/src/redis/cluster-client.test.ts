import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import { Cluster } from 'ioredis';

import { connectRedis, subscriberOf, type RedisClient } from '../../../src/redis/client.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { Signals } from '../../../src/redis/signals.ts';
import { startCluster } from '../../helpers/redis-cluster.ts';
import { silentLogger } from '../../helpers/store.ts';

import type { Nodes } from '../../helpers/redis-node.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

describe('a client of a Redis Cluster', { timeout: 60_000 }, () => {
    let nodes: Nodes;

    before(async () => {
        nodes = await startCluster();
    });

    after(() => nodes.stop());

    const connect = () =>
        connectRedis({ cluster: nodes.nodes.map(({ port }) => ({ host: '127.0.0.1', port })) }, silentLogger);

    const duplicateOf = (redis: RedisClient): Cluster => {
        if (!(redis instanceof Cluster)) throw new Error('It is a client of one server');
        // Where errors are told on the way.
        return redis.duplicate().on('error', () => undefined);
    };

    it('has its first commands answered, however many of them go to one server at once', async () => {
        const redis = await connect();
        const keys = Array.from({ length: 60 }, (_, n) => tenantKey(`tenant${n}`, 'info'));
        try {
            const answers = await Promise.allSettled(keys.map((key) => redis.exists(key)));
            const refused = answers.filter(({ status }) => status === 'rejected');
            expect(refused).to.equal([]);
        } finally {
            redis.disconnect();
        }
    });

    it('tells that it is connected, its duplicates too, also where the cluster was down when it was asked first', async () => {
        const redis = await connect();
        const other = duplicateOf(redis);
        const [owner] = nodes.nodes;
        try {
            for (const { redis: node } of nodes.nodes) await node.cluster('DELSLOTS', 0);
            const connected = other.connect();
            await new Promise((resolve) => other.once('reconnecting', resolve));
            await owner?.redis.cluster('ADDSLOTS', 0);
            await connected;
            expect(other.status).to.equal('ready');
        } finally {
            redis.disconnect();
            other.disconnect();
        }
    });

    it('tells that it does not connect when it is told to end meanwhile', async () => {
        const redis = await connect();
        const other = duplicateOf(redis);
        redis.disconnect();
        const connected = other.connect().catch((error: Error) => error.message);
        other.disconnect();
        expect(await connected).to.match(/Connection is|startup nodes/);
    });

    it('listens on another server when the one it listened to is lost, and tries no faster while there is none', async () => {
        const redis = await connect();
        const signals = new Signals(redis, silentLogger);
        const subscriber = subscriberOf(redis);
        let tries = 0;
        subscriber.on('error', () => tries++);
        try {
            const heard = new Set<string>();
            await signals.listen('news', (message) => heard.add(message));
            await subscriber.subscribe('others');
            for (const node of nodes.nodes) await node.kill();
            tries = 0;
            await sleep(3_000);
            expect(tries).to.be.between(1, 12);

            const [first] = nodes.nodes;
            await first?.start();
            // Until it listens again nobody hears what is said.
            while (!heard.has('again')) {
                await first?.redis.publish('news', 'again').catch(() => undefined);
                await sleep(50);
            }
        } finally {
            signals.close();
            subscriber.disconnect();
            redis.disconnect();
        }
    });
});
