import type { Redis } from 'ioredis';
import type { Logger } from '../telemetry/logger.ts';

type Wake = (message: string) => void;

interface Channel {
    wakes: Set<Wake>;
    /** Settled when it is subscribed to. */
    ready: Promise<unknown>;
}

/**
 * Wakes processes that wait for something that happens on another replica. A signal may be lost while Redis is away: it
 * only spares waiting, and who is woken reads what happened from where it is kept.
 */
export class Signals {
    readonly #redis: Redis;
    readonly #logger: Logger;
    readonly #channels = new Map<string, Channel>();
    #subscriber: Redis | undefined;

    constructor(redis: Redis, logger: Logger) {
        this.#redis = redis;
        this.#logger = logger;
    }

    /** Listens on a channel, from when the promise is settled; the function that is given ends it. Never fails. */
    async listen(name: string, wake: Wake): Promise<() => void> {
        const channel = this.#channels.get(name) ?? this.#subscribe(name);
        channel.wakes.add(wake);
        await channel.ready;
        return () => {
            channel.wakes.delete(wake);
            if (channel.wakes.size > 0 || this.#channels.get(name) !== channel) return;
            this.#channels.delete(name);
            this.#subscriber?.unsubscribe(name).catch(this.#warn);
        };
    }

    close(): void {
        this.#subscriber?.disconnect();
    }

    #subscribe(name: string): Channel {
        const channel = { wakes: new Set<Wake>(), ready: this.#open().subscribe(name).catch(this.#warn) };
        this.#channels.set(name, channel);
        return channel;
    }

    /** A connection of its own, made when somebody listens: one that subscribes can do nothing else. */
    #open(): Redis {
        if (this.#subscriber) return this.#subscriber;
        // What was subscribed to while Redis was away is subscribed to when it is back.
        const subscriber = this.#redis.duplicate({ enableOfflineQueue: true, maxRetriesPerRequest: null });
        subscriber.on('error', this.#warn);
        subscriber.on('message', (channel: string, message: string) => {
            for (const wake of this.#channels.get(channel)?.wakes ?? []) wake(message);
        });
        this.#subscriber = subscriber;
        return subscriber;
    }

    readonly #warn = (error: unknown): void => {
        this.#logger.warn({ module: 'signals', err: error }, 'Signals of other replicas may be late');
    };
}
