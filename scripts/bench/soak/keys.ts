import { PLATFORM, tenantKey } from '../../../src/redis/keys.ts';

import type { Redis } from 'ioredis';

/** Keys whose names differ in ids only. */
export interface KeyKind {
    keys: number;
    /** Those of them that go by themselves. */
    expiring: number;
    bytes: number;
    /** What they hold together: fields, members, entries. */
    entries: number;
}

export type Survey = Map<string, KeyKind>;

const LENGTHS: Record<string, string> = { hash: 'HLEN', zset: 'ZCARD', set: 'SCARD', list: 'LLEN', stream: 'XLEN' };
const AT_ONCE = 2_000;

/** The name with ids, times and what else is of one only put by their kind. */
export const kindOf = (key: string): string =>
    key
        .replace(/\{tenant_\w+\}/, '{tenant}')
        .replaceAll(/\b(tun|share|key|lal)_\w{20,}\b/g, '<$1>')
        .replaceAll(/\b([a-z]+)_[0-9A-HJKMNP-TV-Z]{26}\b/g, '<$1>')
        .replace(/(?<=:domain:).+/, '<domain>')
        .replaceAll(/\b[0-9A-HJKMNP-TV-Z]{26}\b/g, '<ulid>')
        .replaceAll(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22,27}\b/g, '<uuid>')
        .replaceAll(/\b\d+\.\d+\.\d+\.\d+\b/g, '<address>')
        .replaceAll(/(?<=:)[\w+/=-]{40,}/g, '<digest>')
        .replaceAll(/(?<=:)repeat:([\w-]+):\d+/g, 'repeat:$1:<n>')
        .replaceAll(/(?<=[:.]|>-)\d+(-\d+)*/g, '<n>');

/** Looks at every key there is, and sorts them by what they are of. */
export async function surveyKeys(redis: Redis): Promise<Survey> {
    const survey: Survey = new Map();
    for await (const keys of redis.scanStream({ count: AT_ONCE })) {
        // A key that comes twice while the table is rehashed would count twice.
        for (const [kind, found] of await look(redis, [...new Set(keys as string[])])) {
            const sum = survey.get(kind) ?? { keys: 0, expiring: 0, bytes: 0, entries: 0 };
            survey.set(kind, {
                keys: sum.keys + found.keys,
                expiring: sum.expiring + found.expiring,
                bytes: sum.bytes + found.bytes,
                entries: sum.entries + found.entries,
            });
        }
    }
    return survey;
}

async function look(redis: Redis, keys: string[]): Promise<[string, KeyKind][]> {
    if (keys.length === 0) return [];
    const commands = keys.flatMap((key) => [
        ['type', key],
        ['pttl', key],
        ['memory', 'USAGE', key],
    ]);
    const values = ((await redis.pipeline(commands).exec()) ?? []).map(([, value]) => value);
    const types = keys.map((_, n) => String(values[3 * n]));
    const lengths = await redis
        .pipeline(keys.map((key, n) => [LENGTHS[types[n] ?? '']?.toLowerCase() ?? 'exists', key]))
        .exec();
    return keys.flatMap((key, n): [string, KeyKind][] => {
        // It has gone between the two looks.
        if (types[n] === 'none') return [];
        const expiring = Number(values[3 * n + 1]) >= 0 ? 1 : 0;
        const entries = Number(lengths?.[n]?.[1] ?? 0);
        return [[kindOf(key), { keys: 1, expiring, bytes: Number(values[3 * n + 2] ?? 0), entries }]];
    });
}

/** Every key of a tenant. */
async function keysOf(redis: Redis, tenantId: string): Promise<string[]> {
    const found = new Set<string>();
    for await (const keys of redis.scanStream({ match: tenantKey(tenantId, '*'), count: AT_ONCE })) {
        for (const key of keys as string[]) found.add(key);
    }
    return [...found];
}

const SOON_MS = 60_000;

/** The keys of a tenant that are not gone within a minute. */
export async function lastingKeysOf(redis: Redis, tenantId: string): Promise<string[]> {
    const keys = await keysOf(redis, tenantId);
    const ttls = await Promise.all(keys.map((key) => redis.pttl(key)));
    return keys.filter((_, n) => ttls[n] === -1 || (ttls[n] ?? 0) > SOON_MS);
}

const READS: Record<string, (redis: Redis, key: string) => Promise<unknown>> = {
    hash: (redis, key) => redis.hgetall(key),
    zset: (redis, key) => redis.zrange(key, 0, '-1'),
    set: (redis, key) => redis.smembers(key),
    string: (redis, key) => redis.get(key),
};

/** Keys of the platform that stay and still have something of those tenants in them; logs and the audit may. */
export async function mentions(redis: Redis, tenantIds: string[]): Promise<string[]> {
    const found = [];
    for (const key of await keysOf(redis, PLATFORM)) {
        const [type, ttl] = await Promise.all([redis.type(key), redis.pttl(key)]);
        if (ttl >= 0) continue;
        const text = key + JSON.stringify(await READS[type]?.(redis, key));
        if (tenantIds.some((id) => text.includes(id))) found.push(key);
    }
    return found;
}
