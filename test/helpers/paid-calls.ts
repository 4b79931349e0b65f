import { closeCircuits } from './circuits.ts';
import { setCredit } from './credit.ts';
import { newTenant, type TestTenant } from './tenant.ts';
import { PLATFORM, tenantKey } from '../../src/redis/keys.ts';

import type { Redis } from 'ioredis';
import type { TestApp } from './app.ts';
import type { Micros } from '../../src/money.ts';

/** The tokens that a provider tells: all that went in, and of these what came from its cache. */
interface Told {
    input: number;
    cached?: number;
    written?: number;
    output: number;
}

/** The end of an answer of OpenAI that tells so many tokens. */
export const told = ({ input, cached = 0, written = 0, output }: Told, reason = 'stop'): string =>
    [
        { choices: [{ index: 0, delta: {}, finish_reason: reason }] },
        {
            choices: [],
            usage: {
                prompt_tokens: input,
                completion_tokens: output,
                prompt_tokens_details: { cached_tokens: cached, cache_write_tokens: written },
            },
        },
    ]
        .map((part) => `data: ${JSON.stringify(part)}\n\n`)
        .concat('data: [DONE]\n\n')
        .join('');

/** A new tenant with that balance, at an app that has paid models. */
export async function newPayer(app: TestApp, balance: Micros): Promise<TestTenant> {
    await closeCircuits(app.server.plugins.models);
    const payer = await newTenant(app);
    await setCredit(app, payer.tenantId, balance);
    return payer;
}

/** What the ledger has of calls, the oldest first. */
export async function chargesOf(redis: Redis, tenantId: string): Promise<Record<string, string>[]> {
    const ledger = await redis.xrange(`${tenantKey(tenantId, 'credits')}:ledger`, '-', '+');
    return ledger
        .map(([, flat]) =>
            Object.fromEntries(flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1] ?? '']] : []))),
        )
        .filter(({ type }) => type === 'model_usage' || type === 'hold_settled');
}

/** The amounts of these, as they are charged. */
export const amountsOf = async (redis: Redis, tenantId: string): Promise<number[]> =>
    (await chargesOf(redis, tenantId)).map(({ amount }) => -Number(amount));

/** The holds of a tenant, by id. */
export const holdsOf = (redis: Redis, tenantId: string): Promise<string[]> =>
    redis.zrange(`${tenantKey(tenantId, 'credits')}:holds`, '0', '-1');

/** Lets the leases of a tenant's holds run out, as if a minute had passed, and has them swept. */
export async function sweepNow(app: TestApp, tenantId: string): Promise<void> {
    const { redis } = app;
    const holds = await holdsOf(redis, tenantId);
    const key = `${tenantKey(tenantId, 'credits')}:holds`;
    if (holds.length > 0) await redis.zadd(key, 'XX', ...holds.flatMap((id) => ['1', id]));
    await redis.zadd(tenantKey(PLATFORM, 'holds', 'watched'), 'XX', 1, tenantId);
    await app.server.plugins.billing.sweep();
}

/** Limits what a month may cost. @param about `tenant`, `user:<id>` or `key:<id>` */
export const setSpendLimit = (redis: Redis, tenantId: string, about: string, limit: Micros) =>
    redis.hset(`${tenantKey(tenantId, 'credits')}:limits`, about, String(limit));
