import { turnCork } from '../turn-cork.ts';

import type { Command, Redis } from 'ioredis';

/**
 * Sends what one turn of the event loop asks of a server in one write: the requests of that moment share the system
 * call, here and at the server.
 */
export function writeTogether(redis: Redis): void {
    const send = redis.sendCommand.bind(redis);
    const hold = turnCork();
    redis.sendCommand = (command: Command, ...where: Where) => {
        // None before there is a connection.
        const stream = redis.stream as Redis['stream'] | undefined;
        if (stream) hold(stream);
        return send(command, ...where);
    };
}

/** What a pipeline tells of where a command goes. */
type Where = Parameters<Redis['sendCommand']> extends [unknown, ...infer Where] ? Where : never;
