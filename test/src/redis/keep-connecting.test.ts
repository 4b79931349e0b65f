import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { configuredAddress } from '../../../src/redis/address.ts';
import { connectRedis, subscriberOf } from '../../../src/redis/client.ts';
import { testConfig } from '../../helpers/app.ts';
import { startSentinel } from '../../helpers/redis-sentinel.ts';
import { theServer } from '../../helpers/redis.ts';
import { silentLogger } from '../../helpers/store.ts';

import type { Redis } from 'ioredis';
import type { Nodes } from '../../helpers/redis-node.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after, afterEach } = lab;

describe('A client of Sentinel', () => {
    let nodes: Nodes;
    let redis: Redis;

    before(async () => {
        nodes = await startSentinel({ replicas: 0 });
    });

    beforeEach(async () => {
        const address = configuredAddress(testConfig(nodes.settings));
        if (!address) throw new Error('There is no address');
        redis = theServer(await connectRedis(address, silentLogger));
    });

    afterEach(() => redis.disconnect());

    after(() => nodes.stop());

    /** Where errors are told on the way. */
    const until = (client: Redis, event: string) => new Promise((resolve) => client.once(event, resolve));

    /** As a failover does whose news come while the client asks for the master. */
    const connectAnewTwice = async (client: Redis): Promise<void> => {
        const connecting = until(client, 'connecting');
        client.disconnect(true);
        await connecting;
        const ended = until(client, 'end');
        client.disconnect(true);
        await ended;
    };

    it('comes back where a new master is told of while it asks for the master', async () => {
        await connectAnewTwice(redis);
        await until(redis, 'ready');
        expect(await redis.ping()).to.equal('PONG');
        await connectAnewTwice(redis);
        await until(redis, 'ready');
    });

    it('has its duplicates come back as well, with what they listened to', async () => {
        const subscriber = subscriberOf(redis).on('error', () => undefined);
        await subscriber.subscribe('news');
        await connectAnewTwice(subscriber);
        await until(subscriber, 'ready');
        const told = new Promise((resolve) => subscriber.once('message', (...message) => resolve(message)));
        while ((await redis.publish('news', 'good')) === 0) await sleep(10);
        expect(await told).to.equal(['news', 'good']);
        subscriber.disconnect();
    });

    it('stays away when it was told to end, while it was connected and while it was not', async () => {
        const other = redis.duplicate();
        const failed = other.connect().catch((error: Error) => error.message);
        other.disconnect();
        redis.disconnect();
        expect(await failed).to.equal('Connection is closed.');
        await sleep(500);
        expect([redis.status, other.status]).to.equal(['end', 'end']);
    });
});
