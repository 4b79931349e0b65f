import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { CircuitBreaker } from '../../../plugins/models/circuit-breaker.ts';
import { createCircuitStore } from '../../../plugins/models/circuit-store.ts';
import { connectRedis } from '../../../src/redis/client.ts';
import { createDatastore } from '../../../src/redis/datastore.ts';
import { countCommands } from '../../helpers/count-commands.ts';
import { startRedis, theServer, type TestRedis } from '../../helpers/redis.ts';
import { silentLogger } from '../../helpers/store.ts';

import type { Redis } from 'ioredis';
import type { CircuitState } from '../../../plugins/models/api.ts';
import type { ApiError } from '../../../src/http/errors.ts';

export const lab = Lab.script();
const { describe, it, beforeEach, afterEach } = lab;

const POLICY = { failures: 5, windowMs: 60_000, openMs: 60_000, successes: 2 };
const CLEAN: CircuitState = { state: 'closed', failures: 0, retryAt: null };
const NAME = 'openai:https://provider.example';

describe('CircuitBreaker', () => {
    let server: TestRedis;
    let redis: Redis;
    let now: number;
    let breaker: CircuitBreaker;

    beforeEach(async () => {
        server = await startRedis();
        redis = theServer(await connectRedis({ path: server.path }, silentLogger));
        now = Date.now();
        breaker = newBreaker();
        // The scripts are known to Redis from here on.
        await breaker.enter(NAME);
        now += 1_000;
    });

    afterEach(async () => {
        redis.disconnect();
        await server.stop();
    });

    const newBreaker = (clock = () => now) =>
        new CircuitBreaker({
            store: createCircuitStore(createDatastore(redis), POLICY),
            clock,
            logger: silentLogger,
            leaseMs: 35_000,
        });
    const call = async (outcome: 'success' | 'failure') => (await breaker.enter(NAME)).end(outcome);
    const pass = () => call('success');
    const state = async () => (await breaker.states([NAME]))[NAME];

    it('asks Redis once a second, however many calls are made, while they end well', async () => {
        const first = await countCommands(redis, () => Promise.all(Array.from({ length: 50 }, pass)));
        expect(first).to.equal(['evalsha']);
        now += 999;
        expect(await countCommands(redis, pass)).to.be.empty();
        now += 1;
        expect(await countCommands(redis, pass)).to.equal(['evalsha']);
        // A clock that was set back.
        now -= 3_600_000;
        expect(await countCommands(redis, pass)).to.equal(['evalsha']);
        expect(await redis.keys('*')).to.be.empty();
    });

    it('tells Redis of the first success after a failure, and of no other', async () => {
        await call('failure');
        expect(await countCommands(redis, pass)).to.equal(['evalsha']);
        expect(await countCommands(redis, pass)).to.be.empty();
        expect(await redis.keys('*')).to.be.empty();
    });

    it('refuses without asking Redis while it is open, and while another probes', async () => {
        for (let n = 0; n < POLICY.failures; n++) await call('failure');
        expect(breaker.refuses(NAME)).to.be.true();
        const refusals = () => Promise.all(Array.from({ length: 20 }, () => expect(breaker.enter(NAME)).to.reject()));
        expect(await countCommands(redis, refusals)).to.be.empty();
        // The time is up in the mirror, but not by the clock of Redis, which decides.
        now += 999;
        const circuits = 'tenant:{platform}:circuits';
        const circuit = JSON.parse(String(await redis.hget(circuits, NAME)));
        await redis.hset(circuits, NAME, JSON.stringify({ ...circuit, openUntil: 1 }));
        now += 1;
        await breaker.enter(NAME);
        expect(await countCommands(redis, refusals)).to.be.empty();
    });

    it('goes by the clock of Redis, whatever its own says', async () => {
        for (const ahead of [3_600_000, -3_600_000]) {
            await breaker.reset(NAME);
            const told = newBreaker(() => now + ahead);
            for (let n = 0; n < POLICY.failures; n++) await (await told.enter(NAME)).end('failure');
            for (const each of [told, newBreaker(() => now + ahead)]) {
                const error = (await expect(each.enter(NAME)).to.reject()) as ApiError;
                expect(Number(error.output.headers['retry-after'])).to.be.within(50, 61);
            }
        }
    });

    it('keeps circuits for a day', async () => {
        await call('failure');
        expect(await redis.pttl('tenant:{platform}:circuits')).to.be.within(86_000_000, 86_400_000);
    });

    it('keeps circuits apart', async () => {
        for (let n = 0; n < POLICY.failures; n++) await call('failure');
        await breaker.enter('openai:https://elsewhere.example');
        expect((await breaker.states(['ollama:x']))['ollama:x']).to.equal(CLEAN);
        expect(await state()).to.include({ state: 'open', failures: 5 });
        await expect(breaker.enter(NAME)).to.reject();
    });

    it('lets calls go on while Redis is away', async () => {
        await server.stop();
        const fresh = newBreaker();
        for (const each of [breaker, fresh]) {
            for (let n = 0; n < 10; n++) await (await each.enter(NAME)).end(n % 2 ? 'success' : 'failure');
            expect((await each.states([NAME]))[NAME]).to.equal(CLEAN);
        }
        await expect(breaker.reset(NAME)).to.reject();
    });

    it('goes by what it knew when Redis went away, for as long as that would have held', async () => {
        for (let n = 0; n < POLICY.failures; n++) await call('failure');
        await server.stop();
        now += 59_000;
        await expect(breaker.enter(NAME)).to.reject();
        // Redis has its own clock, which has gone on.
        now += 11_000;
        await Promise.all(Array.from({ length: 20 }, pass));
    });
});
