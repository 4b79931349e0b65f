import { Command, Redis } from 'ioredis';

import { requestMeter } from '../../../src/http/http-metrics.ts';
import { meterQueries } from '../../../src/redis/query-meter.ts';
import { Metrics } from '../../../src/telemetry/metrics.ts';
import { median } from '../figures.ts';

const ROUNDS = 15;
const TIMES = 20_000;

/** Answers at once, so that there is little besides what is measured. */
class InstantRedis extends Redis {
    override sendCommand(command: Command): Promise<unknown> {
        command.resolve(null);
        return command.promise;
    }
}

/** Microseconds of processor time that measuring takes: of a request, and of a command of Redis. */
export async function meteringMicros(): Promise<{ request: number; command: number }> {
    const metrics = new Metrics();
    const measure = requestMeter(metrics);
    const route = { method: 'get', path: '/api/threads/{threadId}' } as const;
    const request = () => measure({ app: { beganAt: performance.now() }, method: 'get', route, response: null });

    const plain = new InstantRedis({ lazyConnect: true });
    const metered = new InstantRedis({ lazyConnect: true });
    meterQueries(metered, metrics, new Map());
    const send = (redis: Redis) => () => redis.sendCommand(new Command('hgetall', ['key']));

    const rounds: { request: number; plain: number; metered: number }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
        rounds.push({
            request: await microsOf(request),
            plain: await microsOf(send(plain)),
            metered: await microsOf(send(metered)),
        });
    }
    return {
        request: median(rounds.map((round) => round.request)),
        command: median(rounds.map((round) => round.metered - round.plain)),
    };
}

async function microsOf(act: () => unknown): Promise<number> {
    const before = process.cpuUsage();
    for (let n = 0; n < TIMES; n++) await act();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / TIMES;
}
