import type { Datastore } from './datastore.ts';

/** One bounded piece of a migration: from a cursor, '' at first, to the one that the next begins at; null at the end. */
export type MigrationStep = (cursor: string) => Promise<string | null>;

/** A change of what is stored, from one schema to the next. How to write one is in the README of this folder. */
export interface Migration {
    /** The schema that it leads to. */
    number: number;
    name: string;
    /** The oldest schema whose programs can still work with what this leaves: at most the one before. */
    oldest: number;
    /**
     * Its steps. Each may be done twice, as its cursor is kept afterwards, and by two processes at a time: a process
     * that hung may come back to one that another has taken over.
     */
    prepare: (store: Datastore) => MigrationStep;
}

/** What a store holds that no migration has changed. */
export const BASELINE = { number: 1, name: 'baseline', oldest: 1 };

/** All of them, in order, for good: a store may come from any of them. */
export const MIGRATIONS: readonly Migration[] = [];

/** Where a store is that has nothing to be migrated: what the program itself reads and writes. */
export const newestOf = (migrations: readonly Migration[]): Pick<Migration, 'number' | 'oldest'> =>
    migrations.at(-1) ?? BASELINE;

/**
 * Looks at the numbers that somebody wrote into the list.
 *
 * @throws {Error} When one is left out, or a migration leaves nothing to the version before
 */
export function checkMigrations(migrations: readonly Migration[]): void {
    for (const [index, { number, name, oldest }] of migrations.entries()) {
        const before = migrations[index - 1] ?? BASELINE;
        if (number !== before.number + 1)
            throw new Error(`Migration ${name} must have the number ${before.number + 1}`);
        if (oldest < before.oldest || oldest >= number) {
            throw new Error(`Migration ${name} must leave what schema ${number - 1} or one before it can work with`);
        }
    }
}
