import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { Signals } from '../../../src/redis/signals.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import { connectPatiently } from '../../helpers/redis.ts';
import { RestartableRedis } from '../../helpers/restartable-redis.ts';

import type { Redis } from 'ioredis';

export const lab = Lab.script();
const { describe, it, before, beforeEach, afterEach, after } = lab;

const logger = createLogger({ level: 'silent', pretty: false });

describe('Signals', () => {
    let server: RestartableRedis;
    let redis: Redis;
    let signals: Signals;
    let heard: string[];

    before(async () => {
        server = new RestartableRedis();
        await server.start();
    });

    beforeEach(async () => {
        redis = await connectPatiently({ path: server.path }, logger);
        signals = new Signals(redis, logger);
        heard = [];
    });

    afterEach(() => {
        signals.close();
        redis.disconnect();
    });

    after(() => server.remove());

    const hear = (name: string) => (message: string) => void heard.push(`${name} ${message}`);
    const until = async (isTrue: () => boolean | Promise<boolean>) => {
        while (!(await isTrue())) await sleep(5);
    };
    const subscribers = async (channel: string) => Number((await redis.pubsub('NUMSUB', channel))[1]);

    it('wake all who listen on a channel, and nobody else', async () => {
        await signals.listen('a', hear('one'));
        await signals.listen('a', hear('two'));
        await signals.listen('b', hear('three'));
        await redis.publish('a', 'x');
        await until(() => heard.length === 2);
        expect(heard.toSorted()).to.equal(['one x', 'two x']);
    });

    it('come to nobody who has stopped listening, and the last one leaves the channel', async () => {
        const stopOne = await signals.listen('a', hear('one'));
        const stopTwo = await signals.listen('a', hear('two'));
        stopOne();
        await redis.publish('a', 'x');
        await until(() => heard.length === 1);
        expect(heard).to.equal(['two x']);
        expect(await subscribers('a')).to.equal(1);
        stopTwo();
        stopTwo();
        await until(async () => (await subscribers('a')) === 0);
        await signals.listen('a', hear('three'));
        await redis.publish('a', 'y');
        await until(() => heard.length === 2);
        expect(heard).to.equal(['two x', 'three y']);
    });

    it('come again when Redis was away', async () => {
        await signals.listen('a', hear('one'));
        await server.kill();
        await server.start();
        await until(() =>
            subscribers('a').then(
                (count) => count === 1,
                () => false,
            ),
        );
        await redis.publish('a', 'x');
        await until(() => heard.length === 1);
        expect(heard).to.equal(['one x']);
    });

    it('come on a channel that was being subscribed to when Redis went away', async () => {
        const { commandTimeout } = redis.options;
        redis.options.commandTimeout = 100;
        await signals.listen('a', hear('one'));
        redis.options.commandTimeout = commandTimeout;
        server.hang();
        const listening = signals.listen('b', hear('two'));
        await server.kill();
        await server.start();
        await listening;
        await until(() =>
            subscribers('b').then(
                (count) => count === 1,
                () => false,
            ),
        );
        await redis.publish('b', 'x');
        await until(() => heard.length === 1);
        expect(heard).to.equal(['two x']);
    });
});
