import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';

import { Redis } from 'ioredis';

type Send = Redis['sendCommand'];

const counted = new AsyncLocalStorage<string[]>();

/**
 * The commands that `work` sends on a connection or on those of jobs, in lower case and in order. What timers send
 * meanwhile that ran before is not its doing, nor is what a server does for a request on a socket: for that there is
 * `watchCommands`.
 */
export async function countCommands(redis: Redis, work: () => Promise<unknown>): Promise<string[]> {
    const commands: string[] = [];
    // A connection that is measured has a function of its own; the others, as those of jobs, have that of all.
    const restored = [redis, Redis.prototype].map((sender) => noteCommands(sender));
    try {
        await counted.run(commands, work);
        return [...commands];
    } finally {
        for (const restore of restored) restore();
    }
}

function noteCommands(sender: Redis): () => void {
    const isOwn = Object.hasOwn(sender, 'sendCommand');
    if (!isOwn) return () => undefined;
    const send = Reflect.get(sender, 'sendCommand') as Send;
    sender.sendCommand = function note(this: Redis, command, stream) {
        counted.getStore()?.push(command.name.toLowerCase());
        return send.call(this, command, stream);
    };
    return () => void (sender.sendCommand = send);
}

/**
 * The commands that reach Redis while `work` runs, in lower case and in order, without those that scripts call. Nobody
 * else may use that server meanwhile, and the timers of the process are counted too: for bounds only.
 */
export async function watchCommands(redis: Redis, work: () => Promise<unknown>): Promise<string[]> {
    const monitor = await redis.duplicate({ enableOfflineQueue: true }).monitor();
    const mark = randomBytes(8).toString('hex');
    const commands: string[] = [];
    const ended = new Promise<void>((resolve) => {
        monitor.on('monitor', (_time: string, args: string[], source: string) => {
            const [name = '', first] = args;
            if (name.toLowerCase() === 'echo' && first === mark) resolve();
            else if (source !== 'lua') commands.push(name.toLowerCase());
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
