import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';

import { luaFile } from './lua-file.ts';
import { meterQueries, scriptName } from './query-meter.ts';

import type { RedisClient } from './client.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** Runs a Lua script in one round trip. Numbers go out as decimal strings, buffers as they are. */
export type RunScript = (keys: string[], args: (string | number | Buffer)[]) => Promise<unknown>;

/** Redis as the stores see it: plain commands, and scripts by file. */
export interface Datastore {
    readonly redis: RedisClient;
    /** Loads `<file>.lua` and what it includes; the script is known to Redis by the digest of its text. */
    script(file: URL): RunScript;
    /** The same for a script whose answer is bytes: its texts come as buffers. */
    rawScript(file: URL): RunScript;
}

export interface DatastoreOptions {
    /** Lua text that stands in for an include of that name: how a test moves the clock of the scripts. */
    includes?: Record<string, string>;
    /** Where commands are measured. */
    metrics?: Metrics;
}

type Evaluate = (script: string, count: number, ...parts: (string | number | Buffer)[]) => Promise<unknown>;

const INCLUDE = /^-- @include ([a-z-]+)$/gm;

export function createDatastore(redis: RedisClient, { includes = {}, metrics }: DatastoreOptions = {}): Datastore {
    const names = new Map<string, string>();
    if (metrics) meterQueries(redis, metrics, names);
    /** What all scripts may include goes before what stands beside this one. */
    const include = (name: string, file: URL): string => {
        const shared = luaFile(name);
        return includes[name] ?? readFileSync(existsSync(shared) ? shared : new URL(`./${name}.lua`, file), 'utf8');
    };
    const load = (file: URL, evalsha: Evaluate, evaluate: Evaluate): RunScript => {
        const source = readFileSync(file, 'utf8').replace(INCLUDE, (_line, name: string) => include(name, file));
        const digest = createHash('sha1').update(source).digest('hex');
        for (const told of [digest, source]) names.set(told, scriptName(file));
        return async (keys, args) => {
            try {
                return await evalsha(digest, keys.length, ...keys, ...args);
            } catch (error) {
                // A restarted or failed-over server does not know the script yet; EVAL runs it and makes it known.
                if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
                return evaluate(source, keys.length, ...keys, ...args);
            }
        };
    };
    return {
        redis,
        script: (file) => load(file, redis.evalsha.bind(redis), redis.eval.bind(redis)),
        rawScript: (file) =>
            load(
                file,
                (...call) => redis.callBuffer('EVALSHA', ...call),
                (...call) => redis.callBuffer('EVAL', ...call),
            ),
    };
}
