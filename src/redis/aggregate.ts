/** Text as Redis has it; bytes that are not UTF-8 are told in base64. */
export type StoredText = string | { base64: string };

/** What a key holds. Hashes and sets are in the order of their names, so that equal values are told in equal words. */
export type StoredValue =
    | { type: 'string'; value: StoredText }
    | { type: 'hash'; fields: [name: string, value: StoredText][] }
    | { type: 'list'; items: StoredText[] }
    | { type: 'set'; members: StoredText[] }
    | { type: 'zset'; members: [member: StoredText, score: string][] }
    | { type: 'stream'; entries: [id: string, fields: StoredText[]][]; lastId: string };

/**
 * A record with all that belongs to it and changes with it, as it was at one moment: a thread with its messages and
 * summaries, a user with profile and avatar. Lists, names and search words that follow from records are no part of it.
 */
export interface Aggregate {
    kind: string;
    id: string;
    /** By the key's parts after the tenant, joined with `:`. */
    values: Record<string, StoredValue>;
}

/** What a restore may be asked for by itself. */
export type Component = 'database' | 'config' | 'deployment';

/** A line of an index that follows from an aggregate; the key is told by its parts after the tenant. */
export type IndexEntry =
    | { key: string[]; type: 'zset'; member: string; score: string }
    | { key: string[]; type: 'hash'; field: string; value: string };

/**
 * What of a live record does not go back with it, in a field of one of its hashes: a number that only grows, or a text
 * that takes the place of the one before it (null takes it away).
 */
export type Carried = { key: string; field: string } & ({ atLeast: string } | { stays: string | null });

/** How a feature gives one kind of its records away, and takes them back. */
export interface AggregateKind {
    kind: string;
    component: Component;
    /** There is one, with the kind's name for an id: these fields of a hash that has others, which stay as they are. */
    part?: { key: string; fields: string[] };
    /** Ids of all there are, some at a time, in an order that does not change with what is in the records. */
    ids(tenantId: string): AsyncIterable<string[]>;
    /** In one script, so that it is never torn; null when it is gone meanwhile. */
    read(tenantId: string, id: string): Promise<Aggregate | null>;
    /** The aggregate as it may be put back: without what was true only then, as a state `connected`. */
    settled(aggregate: Aggregate): Aggregate;
    /** Whom it belongs to, as `<kind>/<id>`: without him it is not put back. His kind comes before this one. */
    owner?(aggregate: Aggregate): string;
    /** What the feature's lists, unique names and search words have of it. */
    indexes(aggregate: Aggregate): IndexEntry[];
    /** Keys, by their parts after the tenant, that go with the aggregate besides its values and indexes. */
    leftovers(tenantId: string, id: string): Promise<string[]>;
    /** What the one that takes the place of this one has to have of it. */
    carried?(live: Aggregate): Carried[];
    /** Removes what is left elsewhere of one that has not come back; it may be done again. */
    forget?(tenantId: string, id: string): Promise<void>;
    /** What has to be done outside of the tenant's keys for one that was put back; it may be done again. */
    resume?(tenantId: string, id: string): Promise<void>;
}

/** The port of a feature whose records are backed up. */
export interface BackedUp {
    aggregates: AggregateKind[];
}
