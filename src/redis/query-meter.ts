import { BUCKETS, type Metrics } from '../telemetry/metrics.ts';

import type { Command, Redis } from 'ioredis';

/** Scripts by what Redis is told of them: the digest, or the whole text. */
export type ScriptNames = ReadonlyMap<string, string>;

const RUNS_SCRIPT = new Set(['eval', 'evalsha']);

/** Measures the commands of a connection, each from when it is sent to its answer. */
export function meterQueries(redis: Redis, metrics: Metrics, scripts: ScriptNames): void {
    const duration = metrics.histogram(
        'db_query_duration_seconds',
        'Time to the answer of a command of Redis; a script is told by its feature and name',
        BUCKETS.store,
        ['query_type'],
    );
    const help = 'Connections of this process to Redis that take commands; all requests share one';
    metrics.gauge('db_connection_pool_size', help, (set) => set(redis.status === 'ready' ? 1 : 0));

    const send = redis.sendCommand.bind(redis);
    redis.sendCommand = (command, stream) => {
        const began = performance.now();
        const end = () => duration(typeOf(command, scripts)).observe((performance.now() - began) / 1000);
        const reply = send(command, stream);
        command.promise.then(end, end);
        return reply;
    };
}

function typeOf({ name, args }: Command, scripts: ScriptNames): string {
    const command = name.toLowerCase();
    return RUNS_SCRIPT.has(command) ? (scripts.get(String(args[0])) ?? 'script') : command;
}

/** `<feature>/<script>`, or `src/<script>` of what all features share. */
export function scriptName({ pathname }: URL): string {
    const [, feature = 'src', script = ''] = /(?:\/plugins\/([^/]+)\/(?:.*\/)?|\/)([^/]+)\.lua$/.exec(pathname) ?? [];
    return `${feature}/${script}`;
}
