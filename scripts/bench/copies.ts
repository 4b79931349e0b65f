import { pathToFileURL } from 'node:url';

import { tenantKey } from '../../src/redis/keys.ts';

import type { Ground } from './seed.ts';

/** What names of records that are copied have in them, where each copy has its number. */
export const NUMBER = '0'.repeat(12);

const AT_ONCE = 1_000;

/** An argument of a command: a text, or its pieces with 1 for the copy's number and 2 for its time. */
type Argument = string | (string | number)[];

export interface Original {
    tid: string;
    /** A record of the stores' own making, the only one with that id and of that time. */
    id: string;
    /** When it was made, in milliseconds. */
    at: number;
    /** Patterns of the keys, after the tenant, that are copied or added to. */
    among: string[];
}

export type Copier = (count: number) => Promise<void>;

/** A copy's id: the last twelve characters are its number, from 1 on. */
export const copyId = (id: string, number: number): string =>
    id.slice(0, -NUMBER.length) + String(number).padStart(NUMBER.length, '0');

/**
 * Gives what copies a record so often, with all that is kept of it: its keys, and what has its id in the orders,
 * indexes and streams of the tenant. A copy is a millisecond younger than the one before, the last one older than the
 * original.
 */
export async function copierOf(ground: Ground, original: Original): Promise<Copier> {
    const { redis, store } = ground;
    const run = store.script(pathToFileURL('scripts/bench/lua/repeat-commands.lua'));
    const found = await keysOf(ground, original);
    const commands = (await Promise.all(found.map((key) => commandsFor(ground, key, original)))).flat();
    const text = JSON.stringify(commands);
    const streams = commands.filter(([name]) => name === 'XADD').map(([, key]) => String(key));
    return async (count) => {
        // What comes into a stream is younger than what is in it.
        const later = await Promise.all(streams.map((key) => redis.xrange(key, '-', '+')));
        if (streams.length > 0) await redis.del(streams);
        for (let first = 1; first <= count; first += AT_ONCE) {
            await run([], [text, first, Math.min(first + AT_ONCE - 1, count), original.at - count - 1]);
        }
        for (const [n, key] of streams.entries()) {
            for (const [id, fields] of later[n] ?? []) await redis.xadd(key, id, ...fields);
        }
    };
}

async function keysOf({ redis }: Ground, { tid, among }: Original): Promise<string[]> {
    const found: string[] = [];
    for (const pattern of among) {
        for await (const keys of redis.scanStream({ match: tenantKey(tid, pattern) })) {
            found.push(...(keys as string[]));
        }
    }
    return [...new Set(found)];
}

async function commandsFor({ redis }: Ground, key: string, original: Original): Promise<Argument[][]> {
    const argumentOf = argumentsOf(original);
    const isOfIt = (text: string) => typeof argumentOf(text) !== 'string';
    const whole = argumentOf(key);
    switch (await redis.type(key)) {
        case 'string':
            return isOfIt(key) ? [['SET', whole, argumentOf((await redis.get(key)) ?? '')]] : [];
        case 'hash': {
            const fields = Object.entries(await redis.hgetall(key)).filter((field) => field.some(isOfIt));
            // A key without the id in its name is an index.
            const copy = isOfIt(key) ? [['COPY', key, whole]] : [];
            return fields.length > 0 ? [...copy, ['HSET', whole, ...fields.flat().map(argumentOf)]] : copy;
        }
        case 'zset': {
            const flat = await redis.zrange(key, '0', '-1', 'WITHSCORES');
            const members = flat.flatMap((member, n) => (n % 2 === 0 ? [[flat[n + 1] ?? '', member]] : []));
            const wanted = members.filter(([, member = '']) => isOfIt(member));
            return wanted.length > 0 ? [['ZADD', whole, ...wanted.flat().map(argumentOf)]] : [];
        }
        case 'stream': {
            const entries = await redis.xrange(key, '-', '+');
            const wanted = entries.filter(([id, fields]) => [id, ...fields].some(isOfIt));
            return wanted.map(([, fields]) => ['XADD', whole, [2, '-0'], ...fields.map(argumentOf)]);
        }
        default:
            throw new TypeError(`${key} is of a type that is not copied`);
    }
}

function argumentsOf({ id, at }: Original): (text: string) => Argument {
    const mark = id.slice(id.indexOf('_') + 1);
    const kept = mark.slice(0, -NUMBER.length);
    const marks = new RegExp(`(${mark}|${NUMBER}|${at})`);
    return (text) => {
        const pieces = text.split(marks);
        if (pieces.length === 1) return text;
        return pieces.flatMap((piece): (string | number)[] => {
            if (piece === mark) return [kept, 1];
            if (piece === NUMBER) return [1];
            return [piece === String(at) ? 2 : piece];
        });
    };
}
