import { nodesOf, type RedisClient } from './client.ts';
import { BUCKETS, type Metrics } from '../telemetry/metrics.ts';

import type { Cluster, Command } from 'ioredis';

/** Scripts by what Redis is told of them: the digest, or the whole text. */
export type ScriptNames = ReadonlyMap<string, string>;

const RUNS_SCRIPT = new Set(['eval', 'evalsha']);

/** Measures the commands of a connection, each from when it is sent to its answer. */
export function meterQueries(redis: RedisClient, metrics: Metrics, scripts: ScriptNames): void {
    const duration = metrics.histogram(
        'db_query_duration_seconds',
        'Time to the answer of a command of Redis; a script is told by its feature and name',
        BUCKETS.store,
        ['query_type'],
    );
    const help = 'Connections of this process that take commands: to Redis, or to each server of a cluster';
    metrics.gauge('db_connection_pool_size', help, (set) =>
        set(nodesOf(redis).filter(({ status }) => status === 'ready').length),
    );

    const send = redis.sendCommand.bind(redis);
    redis.sendCommand = (command: Command, ...where: Where) => {
        const began = performance.now();
        const end = () => duration(typeOf(command, scripts)).observe((performance.now() - began) / 1000);
        const reply = send(command, ...where);
        command.promise.then(end, end);
        return reply;
    };
}

/** What a pipeline tells of where a command goes. */
type Where = Parameters<Cluster['sendCommand']> extends [unknown, ...infer Where] ? Where : never;

function typeOf({ name, args }: Command, scripts: ScriptNames): string {
    const command = name.toLowerCase();
    return RUNS_SCRIPT.has(command) ? (scripts.get(String(args[0])) ?? 'script') : command;
}

/** `<feature>/<script>`, or `src/<script>` of what all features share. */
export function scriptName({ pathname }: URL): string {
    const [, feature = 'src', script = ''] = /(?:\/plugins\/([^/]+)\/(?:.*\/)?|\/)([^/]+)\.lua$/.exec(pathname) ?? [];
    return `${feature}/${script}`;
}
