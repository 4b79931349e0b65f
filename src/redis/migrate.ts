import { setTimeout as sleep } from 'node:timers/promises';

import { ulid } from 'ulid';

import { checkMigrations, MIGRATIONS, newestOf, type Migration, type MigrationStep } from './migrations.ts';
import { SchemaStore, type StoredSchema } from './schema-store.ts';

import type { Datastore } from './datastore.ts';
import type { Replication } from './replication.ts';
import type { Logger } from '../telemetry/logger.ts';

const LEASE_MS = 15_000;
const RENEWALS_PER_LEASE = 3;
/** How often somebody who waits for another process looks where the store is. */
const LOOK_EVERY_MS = 250;
/** How often a step is done that replicas do not get. */
const STEP_TRIES = 10;

interface CheckOptions {
    store: Datastore;
    /** The version of the program, for the history. */
    program: string;
    /** Those of the program unless given. */
    migrations?: readonly Migration[];
}

export interface MigrateOptions extends CheckOptions {
    logger: Logger;
    /** Settled when the process is to stop: what is not done yet is left to the next one. */
    told?: Promise<unknown>;
    leaseMs?: number;
    /** What has a step noted as done only when replicas have it; nothing unless given. */
    replication?: Pick<Replication, 'epoch' | 'reached'> | undefined;
}

/**
 * Brings what is stored to the program's schema, or waits until another process has done so. A store that is newer is
 * left as it is.
 *
 * @returns The schema that the store is at
 * @throws {Error} That says what to do, when a migration failed, the store is too new, or the process is to stop
 */
export async function migrate(options: MigrateOptions): Promise<number> {
    const { store, migrations = MIGRATIONS, leaseMs = LEASE_MS, program } = options;
    checkMigrations(migrations);
    const schemas = new SchemaStore(store, ulid(), leaseMs);
    const newest = newestOf(migrations);
    let schema = await schemas.open(newest, program);
    const run = new Run(schemas, { ...options, migrations, leaseMs });
    for (let isWaiting = false; schema.number < newest.number;) {
        run.checkTold();
        const isOurs = await schemas.take();
        if (isOurs) {
            await run.underLease();
        } else {
            if (!isWaiting) run.log.info({ schema: schema.number }, 'Another process migrates the store: waiting');
            await sleep(LOOK_EVERY_MS);
        }
        isWaiting = !isOurs;
        schema = (await schemas.read()) ?? schema;
    }
    checkNewer(schema, newest.number, program);
    if (schema.number > newest.number) {
        run.log.info({ schema: schema.number, own: newest.number }, 'The store is newer, and this program may use it');
    }
    return schema.number;
}

/**
 * For a command beside the program, which leaves it to others to migrate the store.
 *
 * @throws {Error} That says what to do, when the store is too old or too new
 */
export async function checkSchema({ store, program, migrations = MIGRATIONS }: CheckOptions): Promise<void> {
    const newest = newestOf(migrations);
    const schema = await new SchemaStore(store, '', 0).open(newest, program);
    if (schema.number < newest.number) {
        throw new Error(
            `The store is at schema ${schema.number}, and this program at ${newest.number}: run \`npm run migrate\` first.`,
        );
    }
    checkNewer(schema, newest.number, program);
}

/** @throws {Error} When the program cannot work with what newer ones have left */
function checkNewer({ number, oldest, program }: StoredSchema, own: number, ownProgram: string): void {
    if (own >= oldest) return;
    throw new Error(
        `The store is at schema ${number}, brought there by version ${program}, and programs older than schema ` +
            `${oldest} cannot work with it; this one, version ${ownProgram}, has schema ${own}: run ` +
            `version ${program} or a newer one.`,
    );
}

type RunOptions = MigrateOptions & Required<Pick<MigrateOptions, 'migrations' | 'leaseMs'>>;

class Run {
    readonly log: Logger;
    readonly #schemas: SchemaStore;
    readonly #options: RunOptions;
    #isTold = false;

    constructor(schemas: SchemaStore, options: RunOptions) {
        this.log = options.logger.child({ module: 'migrations' });
        this.#schemas = schemas;
        this.#options = options;
        void options.told?.then(() => (this.#isTold = true));
    }

    /** @throws {Error} When the process is to stop */
    checkTold(): void {
        if (this.#isTold) throw new Error('The process was told to stop before the store was migrated.');
    }

    /** Does what is left to do, as long as the lease is ours. */
    async underLease(): Promise<void> {
        const schemas = this.#schemas;
        const warn = (err: unknown) => this.log.warn({ err }, 'The lease could not be renewed or given back');
        const renewal = setInterval(() => schemas.renew().catch(warn), this.#options.leaseMs / RENEWALS_PER_LEASE);
        try {
            const schema = await schemas.read();
            let cursor = schema?.cursor ?? '';
            for (const migration of this.#options.migrations) {
                if (!schema || migration.number <= schema.number) continue;
                if (!(await this.#apply(migration, cursor))) return;
                cursor = '';
            }
        } finally {
            clearInterval(renewal);
            await schemas.release().catch(warn);
        }
    }

    /** Whether it is done; not when another process has taken it over. */
    async #apply(migration: Migration, from: string): Promise<boolean> {
        const { number, name } = migration;
        const log = this.log.child({ migration: number, name });
        log.info({ isResumed: from !== '' }, 'Migrating the store');
        try {
            const step = this.#replicated(migration.prepare(this.#options.store));
            for (let cursor = await step(from); cursor !== null; cursor = await step(cursor)) {
                if (!(await this.#schemas.save(migration, cursor))) return this.#lost(log);
                if (this.#isTold) return false;
            }
            if (!(await this.#schemas.finish(migration, this.#options.program))) return this.#lost(log);
        } catch (error) {
            log.error({ err: error }, 'A migration failed');
            const reason = error instanceof Error ? error.message : String(error);
            const place = `and the store stays at schema ${number - 1}`;
            throw new Error(`Migration ${number} (${name}) failed, ${place}: ${reason}`, { cause: error });
        }
        log.info('The store is migrated');
        return true;
    }

    /**
     * With what each step wrote where a failover leaves it. The cursor is in another slot, and so perhaps with another
     * master: what one of them lost would otherwise stay behind a cursor that says it is done.
     */
    #replicated(step: MigrationStep): MigrationStep {
        const { replication } = this.#options;
        if (!replication) return step;
        return async (cursor) => {
            for (let tries = 1; ; tries++) {
                const { epoch } = replication;
                const next = await step(cursor);
                const lack: unknown = await replication.reached(epoch).then(
                    () => null,
                    (error: unknown) => error,
                );
                if (lack === null) return next;
                if (tries === STEP_TRIES || this.#isTold) throw lack;
            }
        };
    }

    #lost(log: Logger): false {
        log.warn('Another process has taken the migration over');
        return false;
    }
}
