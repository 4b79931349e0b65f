import { randomBytes } from 'node:crypto';

import { connectPatiently, sharedRedis } from './redis.ts';
import { createDatastore, type Datastore } from '../../src/redis/datastore.ts';
import { parseKeyring } from '../../src/security/keyring.ts';
import { Vault } from '../../src/security/vault.ts';
import { createLogger } from '../../src/telemetry/logger.ts';

import type { Redis } from 'ioredis';

/** The datastore without the program around it; the time of its scripts stands still until it is set again. */
export interface TestStore {
    redis: Redis;
    store: Datastore;
    vault: Vault;
    setTime: (milliseconds: number) => Promise<void>;
    close: () => Promise<void>;
}

export const NOON = Date.parse('2026-11-20T12:00:00.000Z');

export const silentLogger = createLogger({ level: 'silent', pretty: false, destination: { write: () => undefined } });

export const testVault = (): Vault =>
    new Vault(parseKeyring(`k1:${randomBytes(32).toString('base64')}`, 'base64', (bytes) => bytes === 32));

export const newTenantId = (): string => `tenant_${randomBytes(8).toString('hex')}`;

/** @param path The socket of a Redis other than the shared one */
export async function openStore(path?: string): Promise<TestStore> {
    const redis = await connectPatiently({ path: path ?? (await sharedRedis()).path }, silentLogger);
    const clockKey = `test:time:${randomBytes(8).toString('hex')}`;
    const now = `local function now() return tonumber(redis.call('GET', '${clockKey}')) end`;
    const setTime = async (milliseconds: number) => void (await redis.set(clockKey, milliseconds));
    await setTime(NOON);
    return {
        redis,
        store: createDatastore(redis, { includes: { now } }),
        vault: testVault(),
        setTime,
        close: async () => {
            await redis.del(clockKey);
            redis.disconnect();
        },
    };
}

/** The code of the catalogue error that a promise is refused with; anything else is thrown on. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
    const error: unknown = await promise.then(
        () => new Error('It was not refused'),
        (reason: unknown) => reason,
    );
    const code = (error as { data?: { code?: string } | null }).data?.code;
    if (code === undefined) throw error;
    return code;
}
