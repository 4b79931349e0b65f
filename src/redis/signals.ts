import { subscriberOf, type RedisClient } from './client.ts';

import type { Redis } from 'ioredis';
import type { Logger } from '../telemetry/logger.ts';

/** When a channel is asked for again that could not be subscribed to. */
const TRY_AGAIN_MS = 1_000;

type Wake = (message: string) => void;

interface Channel {
    wakes: Set<Wake>;
    /** Settled when it is subscribed to, or that has failed for now. */
    ready: Promise<void>;
}

/**
 * Wakes processes that wait for something that happens on another replica. A signal may be lost while Redis is away: it
 * only spares waiting, and who is woken reads what happened from where it is kept.
 */
export class Signals {
    readonly #redis: RedisClient;
    readonly #logger: Logger;
    readonly #channels = new Map<string, Channel>();
    #subscriber: Redis | undefined;

    constructor(redis: RedisClient, logger: Logger) {
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
        this.#channels.clear();
        this.#subscriber?.disconnect();
    }

    #subscribe(name: string): Channel {
        const channel: Channel = { wakes: new Set<Wake>(), ready: Promise.resolve() };
        this.#channels.set(name, channel);
        channel.ready = this.#ask(name, channel);
        return channel;
    }

    async #ask(name: string, channel: Channel): Promise<void> {
        try {
            await this.#open().subscribe(name);
        } catch (error) {
            this.#warn(error);
            this.#askAgain(name, channel);
        }
    }

    /** A connection that comes back subscribes to what it was subscribed to: not to what it was just asking for. */
    #askAgain(name: string, channel: Channel): void {
        setTimeout(() => {
            if (this.#channels.get(name) !== channel) return;
            if (this.#open().status === 'ready') void this.#ask(name, channel);
            else this.#askAgain(name, channel);
        }, TRY_AGAIN_MS).unref();
    }

    /** A connection of its own, made when somebody listens: one that subscribes can do nothing else. */
    #open(): Redis {
        if (this.#subscriber) return this.#subscriber;
        // What was subscribed to while Redis was away is subscribed to when it is back.
        const subscriber = subscriberOf(this.#redis);
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
