import { mastersOf, reconnectDelay, type RedisClient } from './client.ts';

import type { Redis } from 'ioredis';

/** How long replicas may take: less than a command may, or their answer would come too late. */
const PATIENCE_MS = 1_000;

/** What a request notes before it writes. */
export type Epoch = number;

/**
 * Waits until replicas have what was written: a failover to one of them loses none of it. Of many that wait at the same
 * time one asks for all, on a connection of its own, where it holds up no other command.
 */
export class Replication {
    readonly #redis: RedisClient;
    readonly #replicas: number;
    readonly #lines = new WeakMap<Redis, WaitingLine>();
    #epoch: Epoch = 0;
    #masters: Set<Redis>;

    /** @param replicas How many must have it, of each master; not 0 */
    constructor(redis: RedisClient, replicas: number) {
        this.#redis = redis;
        this.#replicas = replicas;
        this.#masters = new Set(mastersOf(redis));
        // What a server has answered that was lost meanwhile, its replicas may never have got.
        redis.on('close', () => void this.#epoch++);
        redis.on('-node', (node: Redis) => {
            // A replica that goes has answered nothing.
            if (this.#masters.delete(node) || !node.options.readOnly) this.#epoch++;
        });
        // A master of a cluster that becomes a replica keeps its connections, and forgets what the new master has not got.
        redis.on('refresh', () => {
            const masters = new Set(mastersOf(redis));
            if ([...this.#masters].some((master) => !masters.has(master))) this.#epoch++;
            this.#masters = masters;
        });
    }

    get epoch(): Epoch {
        return this.#epoch;
    }

    /**
     * Resolves when replicas have everything that this process has written since that epoch.
     *
     * @throws {Error} Where too few have it in time, or a connection was lost since then: nobody knows what is kept
     */
    async reached(since: Epoch): Promise<void> {
        await Promise.all(mastersOf(this.#redis).map((server) => this.#lineOf(server).wait()));
        if (this.#epoch !== since) throw new Error('A connection to Redis was lost while something was written');
    }

    #lineOf(server: Redis): WaitingLine {
        const known = this.#lines.get(server);
        if (known) return known;
        const line = new WaitingLine(server, this.#replicas);
        this.#lines.set(server, line);
        // One that is connected to once more gets another.
        server.once('end', () => {
            this.#lines.delete(server);
            line.end();
        });
        return line;
    }
}

/** Those that wait for the replicas of one server. */
class WaitingLine {
    readonly #server: Redis;
    readonly #connection: Redis;
    readonly #replicas: number;
    #last: Promise<void> = Promise.resolve();
    #next: Promise<void> | undefined;
    /** Of the server that is written to. */
    #runId: Promise<string> | undefined;

    constructor(server: Redis, replicas: number) {
        this.#server = server;
        this.#replicas = replicas;
        this.#connection = server.duplicate({
            lazyConnect: true,
            enableOfflineQueue: true,
            retryStrategy: reconnectDelay,
        });
        // Whoever waits is told by the command that fails.
        this.#connection.on('error', () => undefined);
        server.on('close', () => (this.#runId = undefined));
    }

    end(): void {
        this.#connection.disconnect();
    }

    /** The wait that runs may have begun before what the caller has written: the next one has not. */
    wait(): Promise<void> {
        this.#next ??= this.#last
            .catch(() => undefined)
            .then(() => {
                this.#last = this.#ask();
                this.#next = undefined;
                return this.#last;
            });
        return this.#next;
    }

    async #ask(): Promise<void> {
        const written = await this.#writtenTo();
        // A connection waits for what the server had done by its last command, whoever asked for that.
        const replies = await this.#connection.pipeline().info('server').wait(this.#replicas, PATIENCE_MS).exec();
        const [told, waited] = replies ?? [];
        const error = told?.[0] ?? waited?.[0];
        if (error) throw error;
        // While a master is replaced, two connections to the same place may be with the old one and the new one.
        if (runIdOf(String(told?.[1])) !== written) {
            this.#connection.disconnect(true);
            throw new Error('Another server was asked than the one that was written to');
        }
        const count = waited?.[1];
        if (Number(count) < this.#replicas) throw new Error(`${String(count)} of ${this.#replicas} replicas have it`);
    }

    /** Asked for once for each connection. */
    #writtenTo(): Promise<string> {
        const asked = (this.#runId ??= this.#server.info('server').then(runIdOf));
        asked.catch(() => {
            if (this.#runId === asked) this.#runId = undefined;
        });
        return asked;
    }
}

const runIdOf = (info: string): string => /^run_id:(\w+)/m.exec(info)?.[1] ?? '';
