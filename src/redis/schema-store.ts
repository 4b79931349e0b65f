import { PLATFORM, tenantKey } from './keys.ts';
import { luaFile } from './lua-file.ts';

import type { Datastore, RunScript } from './datastore.ts';
import type { Migration } from './migrations.ts';

const schemaKey = tenantKey(PLATFORM, 'schema');
const leaseKey = tenantKey(PLATFORM, 'schema', 'lease');
const historyKey = tenantKey(PLATFORM, 'schema', 'history');
/** Where tenants are listed, and where those stand that are about to be. */
const tenantIndexes = [tenantKey(PLATFORM, 'tenants'), tenantKey(PLATFORM, 'domain-claims')];

/** The form of what is stored. */
export interface StoredSchema {
    number: number;
    /** The oldest schema whose programs can work with it. */
    oldest: number;
    /** The version of the program that brought it there. */
    program: string;
    /** Where the migration to the next one goes on. */
    cursor: string;
}

/** A migration that is done. */
export interface PastMigration {
    number: number;
    name: string;
    program: string;
    /** ISO 8601 */
    at: string;
}

/** Which schema a store is at, who may move it, and how it came there; all of it in the platform's slot. */
export class SchemaStore {
    readonly #redis: Datastore['redis'];
    readonly #holder: string;
    readonly #leaseMs: number;
    readonly #run: Record<'open' | 'take' | 'keep' | 'save' | 'finish', RunScript>;

    /**
     * @param holder Who takes the lease
     * @param leaseMs After that somebody else may take it who does not renew it
     */
    constructor(store: Datastore, holder: string, leaseMs: number) {
        this.#redis = store.redis;
        this.#holder = holder;
        this.#leaseMs = leaseMs;
        this.#run = {
            open: store.script(luaFile('open-schema')),
            take: store.script(luaFile('take-schema-lease')),
            keep: store.script(luaFile('keep-schema-lease')),
            save: store.script(luaFile('save-migration')),
            finish: store.script(luaFile('finish-migration')),
        };
    }

    /** A store without tenants is at the program's own schema at once; one without a schema is at the baseline. */
    async open(newest: Pick<Migration, 'number' | 'oldest'>, program: string): Promise<StoredSchema> {
        await this.#run.open([schemaKey, historyKey, ...tenantIndexes], [newest.number, newest.oldest, program]);
        return (await this.read()) ?? { ...newest, program, cursor: '' };
    }

    /** Null of a store that no program has opened yet. */
    async read(): Promise<StoredSchema | null> {
        const { number, oldest, program = '', cursor = '' } = await this.#redis.hgetall(schemaKey);
        return number === undefined ? null : { number: Number(number), oldest: Number(oldest), program, cursor };
    }

    async history(): Promise<PastMigration[]> {
        const entries = await this.#redis.lrange(historyKey, 0, -1);
        return entries.map((entry) => {
            const { number, name, program, at } = JSON.parse(entry) as Record<keyof PastMigration, string>;
            return { number: Number(number), name, program, at: new Date(Number(at)).toISOString() };
        });
    }

    /** Whether some process has the lease. */
    isHeld = async (): Promise<boolean> => (await this.#redis.exists(leaseKey)) === 1;

    /** Whether the lease is ours now. */
    take = async (): Promise<boolean> => (await this.#run.take([leaseKey], [this.#holder, this.#leaseMs])) === 1;

    /** Prolongs the lease, if it is ours. */
    renew = (): Promise<unknown> => this.#run.keep([leaseKey], [this.#holder, this.#leaseMs]);

    /** Gives the lease back, if it is ours. */
    release = (): Promise<unknown> => this.#run.keep([leaseKey], [this.#holder, 0]);

    /** Keeps where a migration goes on; false when the lease is lost, or somebody else has done it. */
    async save({ number }: Migration, cursor: string): Promise<boolean> {
        const saved = await this.#run.save([schemaKey, leaseKey], [this.#holder, this.#leaseMs, number, cursor]);
        return saved === 1;
    }

    /** Moves the store on to the next schema; false as above. */
    async finish({ number, name, oldest }: Migration, program: string): Promise<boolean> {
        const args = [this.#holder, number, oldest, name, program];
        return (await this.#run.finish([schemaKey, leaseKey, historyKey], args)) === 1;
    }
}
