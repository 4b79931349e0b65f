import type { Redis } from 'ioredis';

const AGAIN_MS = 100;

/**
 * Has a client of Sentinel, and its duplicates, come back for as long as they are wanted. The library gives up for good
 * when it is to connect anew while it asks for the master: so it is when a sentinel tells of the new one just then.
 */
export function keepConnecting<Client extends Redis>(redis: Client): Client {
    let isWanted = true;
    const disconnect = redis.disconnect.bind(redis);
    redis.disconnect = (reconnect = false) => {
        isWanted &&= reconnect;
        disconnect(reconnect);
    };
    const duplicate = redis.duplicate.bind(redis);
    redis.duplicate = ((options) => keepConnecting(duplicate(options))) as Client['duplicate'];
    const connectAgain = () => {
        // Whoever waits is told by the command that fails.
        if (isWanted && redis.status === 'end') void redis.connect().catch(() => undefined);
    };
    let before = '';
    for (const status of ['connecting', 'close']) redis.on(status, () => (before = status));
    // After a close it was told to end.
    redis.on('end', () => before === 'connecting' && setTimeout(connectAgain, AGAIN_MS));
    return redis;
}
