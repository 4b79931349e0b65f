import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { temporaryScript } from './lua.ts';
import { packageRoot } from '../../src/package-root.ts';
import { eachTenant, migrationNote } from '../../src/redis/each-tenant.ts';
import { PLATFORM, tenantKey } from '../../src/redis/keys.ts';

import type { Redis } from 'ioredis';
import type { Migration } from '../../src/redis/migrations.ts';

export const schemaKey = tenantKey(PLATFORM, 'schema');
export const leaseKey = tenantKey(PLATFORM, 'schema', 'lease');
const tenantsKey = tenantKey(PLATFORM, 'tenants');
const claimsKey = tenantKey(PLATFORM, 'domain-claims');
const stepsKey = tenantKey(PLATFORM, 'steps');
const changesKey = (tenantId: string) => tenantKey(tenantId, 'changes');

/** Adds the number to a list: twice, where it is done twice. */
const CHANGE = `
-- @include migrating
if not awaits(KEYS[1], ARGV[1]) then return 0 end
redis.call('RPUSH', KEYS[2], ARGV[1])
is_migrated(KEYS[1], ARGV[1])
return 1`;

const LAST_STEP = 9;

/** A migration of all tenants, which takes its time for each of them. */
export const ofTenants = (number: number, oldest: number, delayMs = 0): Migration => ({
    number,
    name: `test-${number}`,
    oldest,
    prepare: eachTenant((store) => {
        const change = store.script(temporaryScript(CHANGE));
        return async (tenantId) => {
            await sleep(delayMs);
            await change([migrationNote(tenantId), changesKey(tenantId)], [number]);
        };
    }),
});

/** A migration of ten steps, each of which says that it was taken. */
export const ofSteps = (number: number, oldest: number, delayMs = 0): Migration => ({
    number,
    name: `test-${number}`,
    oldest,
    prepare: (store) => async (cursor) => {
        const step = Number(cursor);
        await sleep(delayMs);
        await store.redis.rpush(stepsKey, step);
        return step === LAST_STEP ? null : String(step + 1);
    },
});

/** Schemas 2, 3 and 4: programs of schema 1 can work with 3, and those of 2 not with 4. */
export const testMigrations = (delayMs = 0): Migration[] => [
    ofTenants(2, 1, delayMs),
    ofTenants(3, 1, delayMs),
    ofSteps(4, 3, delayMs),
];

export const ALL_STEPS = Array.from({ length: LAST_STEP + 1 }, (_, step) => String(step));

/** Puts tenants into the list, all at the same time, and gives their ids. */
export async function addTenants(redis: Redis, ...names: string[]): Promise<string[]> {
    const ids = names.map((name) => `tenant_${name}`);
    const at = Date.now();
    await redis.zadd(tenantsKey, ...ids.flatMap((id) => [at, id]));
    return ids;
}

/** A tenant whose registration has not come to its end. */
export async function claimTenant(redis: Redis, name: string): Promise<string> {
    await redis.zadd(claimsKey, Date.now(), `tenant_${name} ${name}.example`);
    return `tenant_${name}`;
}

/** What was done to each of them. */
export const changesOf = (redis: Redis, ids: string[]): Promise<string[][]> =>
    Promise.all(ids.map((id) => redis.lrange(changesKey(id), 0, -1)));

export const stepsOf = (redis: Redis): Promise<string[]> => redis.lrange(stepsKey, 0, -1);

export interface MigratingOptions {
    leaseMs?: number;
    delayMs?: number;
    /** The schema of the program. */
    schema?: number;
}

/** A process that migrates a store. */
export function startMigrating(path: string, { leaseMs = 15_000, delayMs = 0, schema = 4 }: MigratingOptions = {}) {
    const script = join(packageRoot(), 'dist/test/helpers/migrating.js');
    const child = spawn(process.execPath, [script, path, String(leaseMs), String(delayMs), String(schema)], {
        stdio: ['ignore', 'pipe', 'inherit'],
    });
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    let log = '';
    child.stdout.on('data', (chunk: Buffer) => (log += chunk.toString()));
    const end = once(child, 'close').then(([code]) => {
        process.off('exit', kill);
        return code as number | null;
    });
    return { end, log: () => log, signal: (name: NodeJS.Signals) => child.kill(name) };
}
