import { randomBytes } from 'node:crypto';

import { PLATFORM, tenantKey } from '../../src/redis/keys.ts';

import type { Redis } from 'ioredis';

/** Each process looks at it every two seconds, whatever else happens. */
const LOOKED_AT = tenantKey(PLATFORM, 'config');

/**
 * The commands that reach Redis while `work` runs, in lower case and in order, without those that scripts call. Nobody
 * else may use that server meanwhile: take one of the test's own.
 */
export async function countCommands(redis: Redis, work: () => Promise<unknown>): Promise<string[]> {
    const monitor = await redis.duplicate({ enableOfflineQueue: true }).monitor();
    const mark = randomBytes(8).toString('hex');
    const commands: string[] = [];
    const ended = new Promise<void>((resolve) => {
        monitor.on('monitor', (_time: string, args: string[], source: string) => {
            const [name = '', first] = args;
            if (name.toLowerCase() === 'echo' && first === mark) resolve();
            else if (source !== 'lua' && first !== LOOKED_AT) commands.push(name.toLowerCase());
        });
    });
    try {
        await work();
        await redis.echo(mark);
        await ended;
        return [...commands];
    } finally {
        monitor.disconnect();
    }
}
