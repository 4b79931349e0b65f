import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { Drain } from '../../../src/drain.ts';
import { Idempotency, type SharedWork } from '../../../src/http/idempotency.ts';
import { connectRedis, type RedisClient } from '../../../src/redis/client.ts';
import { createDatastore } from '../../../src/redis/datastore.ts';
import { Vault } from '../../../src/security/vault.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import { testConfig } from '../../helpers/app.ts';
import { sharedRedis } from '../../helpers/redis.ts';

import type { RepeatableRequest } from '../../../src/http/idempotency-key.ts';
import type { Actor } from '../../../src/types/actor.ts';

export const lab = Lab.script();
const { describe, it, beforeEach, afterEach } = lab;

const LEASE_MS = 600;

describe('Idempotency', () => {
    let redis: RedisClient;
    let requests: Idempotency;
    let drain: Drain;
    let logs: Record<string, unknown>[];
    let tenantId: string;
    let release: () => void;
    let work: SharedWork<{ n: number }>;
    let ends: Promise<void>;

    const newIdempotency = () => {
        const destination = { write: (line: string) => void logs.push(JSON.parse(line) as Record<string, unknown>) };
        const logger = createLogger({ level: 'info', pretty: false, destination });
        const vault = new Vault(testConfig().VAULT_KEYS);
        return new Idempotency({ store: createDatastore(redis), vault, drain, logger, leaseMs: LEASE_MS });
    };

    beforeEach(async () => {
        logs = [];
        drain = new Drain();
        redis = await connectRedis(await sharedRedis(), createLogger({ level: 'silent', pretty: false }));
        requests = newIdempotency();
        tenantId = `tenant_${randomBytes(8).toString('hex')}`;
        ends = new Promise((resolve) => (release = resolve));
        work = {
            start: () => Promise.resolve({ n: 1 }),
            result: async (value) => {
                await ends;
                return value;
            },
            restore: (value) => value as { n: number },
        };
    });

    afterEach(() => redis.disconnect());

    const request = (): RepeatableRequest => ({
        app: {},
        auth: { credentials: { actor: { tenantId, userId: 'user' } as Actor } },
        headers: { 'idempotency-key': 'key' },
        route: { method: 'post', path: '/' },
        params: {},
        query: {},
        payload: null,
    });
    const key = async () => (await redis.keys(`tenant:{${tenantId}}:idempotency:*`))[0] ?? '';

    it('renews the lease for as long as the work runs, and no longer', async () => {
        await requests.share(request(), work);
        const held = await key();
        await redis.pexpire(held, 60_000);
        while ((await redis.pttl(held)) > LEASE_MS) await sleep(10);
        release();
        await drain.finish(AbortSignal.timeout(5_000));
        expect(await redis.pttl(held)).to.be.above(60_000);
        expect(await requests.share(request(), work)).to.equal({ n: 1 });
    });

    it('gives the answer of work that could not be stored, and says so in the log', async () => {
        const started = await requests.share(request(), work);
        redis.disconnect();
        release();
        await drain.finish(AbortSignal.timeout(5_000));
        expect(started).to.equal({ n: 1 });
        const warnings = logs.filter(({ level }) => level === 40);
        expect(warnings.at(-1)).to.include({ msg: 'An answer could not be stored for its repeats' });
    });

    it('lets the process stop only when what runs was stored', async () => {
        await requests.share(request(), work);
        let isFinished = false;
        const finishing = drain.finish(AbortSignal.timeout(5_000)).then(() => (isFinished = true));
        await sleep(20);
        expect(isFinished).to.be.false();
        release();
        await finishing;
        expect(await redis.hexists(await key(), 'answer')).to.equal(1);
    });

    it('restores the work for each of many that repeat it afterwards at once', async () => {
        release();
        await requests.share(request(), work);
        await drain.finish(AbortSignal.timeout(5_000));
        work.start = () => Promise.reject(new Error('started again'));
        const repeats = Array.from({ length: 20 }, request);
        const found = await Promise.all(repeats.map((repeat) => requests.share(repeat, work)));
        expect(found).to.equal(Array(20).fill({ n: 1 }));
        expect(repeats.every(({ app }) => app.isReplayed)).to.be.true();
    });

    it('tells all of many that begin at once when the store is away', async () => {
        redis.disconnect();
        const begun = await Promise.allSettled(Array.from({ length: 5 }, () => requests.share(request(), work)));
        expect(begun.map(({ status }) => status)).to.equal(Array(5).fill('rejected'));
    });
});
