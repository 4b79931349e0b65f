import { isoTime } from '../../src/redis/codec.ts';
import { PLATFORM, tenantKey } from '../../src/redis/keys.ts';

import type { Datastore, RunScript } from '../../src/redis/datastore.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);
const REPLICAS = tenantKey(PLATFORM, 'replicas');

/** A process that says nothing for so long is not there any more. */
const SILENT_MS = 15_000;

/** What a process tells of itself. */
export interface ReplicaFigures {
    role: string;
    version: string;
    /** ISO-8601 */
    startedAt: string;
    eventLoopDelayMs: number;
    rssMb: number;
    streams: number;
    generations: number;
    tunnels: number;
}

export interface Replica extends ReplicaFigures {
    id: string;
    /** By Redis' clock, as ISO-8601. */
    seenAt: string;
}

/** The processes that run, of all replicas. */
export class ReplicaStore {
    readonly #redis: Datastore['redis'];
    readonly #report: RunScript;
    readonly #list: RunScript;

    constructor(store: Datastore) {
        this.#redis = store.redis;
        this.#report = store.script(lua('report-replica'));
        this.#list = store.script(lua('list-replicas'));
    }

    async report(id: string, figures: ReplicaFigures): Promise<void> {
        await this.#report([REPLICAS], [id, JSON.stringify(figures), SILENT_MS]);
    }

    /** One that stops is not there from now on. */
    async leave(id: string): Promise<void> {
        await this.#redis.hdel(REPLICAS, id);
    }

    /** In the order that they were started in. */
    async list(): Promise<Replica[]> {
        const flat = (await this.#list([REPLICAS], [SILENT_MS])) as string[];
        const replicas: Replica[] = [];
        for (let at = 0; at < flat.length; at += 3) {
            const figures = JSON.parse(flat[at + 2] ?? '') as ReplicaFigures;
            replicas.push({ id: flat[at] ?? '', ...figures, seenAt: isoTime(Number(flat[at + 1])) });
        }
        return replicas.toSorted((a, b) => (a.startedAt + a.id < b.startedAt + b.id ? -1 : 1));
    }
}
