import type { Redis } from 'ioredis';
import type { Logger } from '../telemetry/logger.ts';

type Wake = (message: string) => void;

/**
 * Wakes processes that wait for something that happens on another replica. A signal may be lost while Redis is away: it
 * only spares waiting, and who is woken reads what happened from where it is kept.
 */
export class Signals {
    readonly #redis: Redis;
    readonly #logger: Logger;
    readonly #listeners = new Map<string, Set<Wake>>();
    #subscriber: Redis | undefined;

    constructor(redis: Redis, logger: Logger) {
        this.#redis = redis;
        this.#logger = logger;
    }

    /** Listens on a channel, from when the promise is settled; the function that is given ends it. Never fails. */
    async listen(channel: string, wake: Wake): Promise<() => void> {
        const listeners = this.#listeners.get(channel) ?? new Set<Wake>();
        const isFirst = listeners.size === 0;
        this.#listeners.set(channel, listeners.add(wake));
        if (isFirst) await this.#open().subscribe(channel).catch(this.#warn);
        return () => {
            listeners.delete(wake);
            if (listeners.size > 0 || this.#listeners.get(channel) !== listeners) return;
            this.#listeners.delete(channel);
            this.#subscriber?.unsubscribe(channel).catch(this.#warn);
        };
    }

    close(): void {
        this.#subscriber?.disconnect();
    }

    /** A connection of its own, made when somebody listens: one that subscribes can do nothing else. */
    #open(): Redis {
        if (this.#subscriber) return this.#subscriber;
        // What was subscribed to while Redis was away is subscribed to when it is back.
        const subscriber = this.#redis.duplicate({ enableOfflineQueue: true, maxRetriesPerRequest: null });
        subscriber.on('error', this.#warn);
        subscriber.on('message', (channel: string, message: string) => {
            for (const wake of this.#listeners.get(channel) ?? []) wake(message);
        });
        this.#subscriber = subscriber;
        return subscriber;
    }

    readonly #warn = (error: unknown): void => {
        this.#logger.warn({ module: 'signals', err: error }, 'Signals of other replicas may be late');
    };
}
