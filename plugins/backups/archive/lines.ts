import { createHash, type Hash } from 'node:crypto';

import { canonicalJson } from './canonical-json.ts';
import { damaged } from './faults.ts';
import { apiError } from '../../../src/http/errors.ts';

import type { Aggregate, StoredValue } from '../../../src/redis/aggregate.ts';
import type { ArchiveHeader } from '../api.ts';

/** Of the lines; a reader refuses what is newer, and knows what is older. */
export const SCHEMA_VERSION = 1;

const NEWLINE = 0x0a;

/** What is counted and summed over the lines of an archive, the same when they are written and when they are read. */
export class LineTally {
    readonly counts: Record<string, number> = Object.create(null);
    readonly #lines: Hash = createHash('sha256');
    readonly #content: Hash = createHash('sha256');

    header(line: Buffer): void {
        this.#lines.update(line);
    }

    aggregate(line: Buffer, kind: string): void {
        this.#lines.update(line);
        this.#content.update(line);
        this.counts[kind] = (this.counts[kind] ?? 0) + 1;
    }

    /** SHA-256 of the lines so far, with their newlines. */
    linesSha256(): string {
        return this.#lines.copy().digest('hex');
    }

    /** SHA-256 of the lines of aggregates so far. */
    contentSha256(): string {
        return this.#content.copy().digest('hex');
    }
}

const lineOf = (value: Record<string, unknown>): Buffer => Buffer.from(`${canonicalJson(value)}\n`, 'utf8');

const footerOf = (tally: LineTally): Buffer =>
    lineOf({ line: 'footer', counts: tally.counts, sha256: tally.linesSha256() });

/** Header, aggregates, footer. */
export async function* writeLines(
    header: ArchiveHeader,
    aggregates: AsyncIterable<Aggregate>,
    tally: LineTally,
): AsyncGenerator<Buffer> {
    const first = lineOf({ line: 'header', ...header });
    tally.header(first);
    yield first;
    for await (const { kind, id, values } of aggregates) {
        const line = lineOf({ line: 'aggregate', kind, id, values });
        tally.aggregate(line, kind);
        yield line;
    }
    yield footerOf(tally);
}

/** A line of an archive as it was read; `bytes` are those that stand in the archive, with their newline. */
export type ReadLine = { header: ArchiveHeader } | { aggregate: Aggregate; bytes: Buffer };

/** @throws BACKUP_DAMAGED when it is not a header, aggregates and the footer that they make; BACKUP_TOO_NEW */
export async function* readLines(source: AsyncIterable<Buffer>, tally: LineTally): AsyncGenerator<ReadLine> {
    let next: 'header' | 'aggregate' | 'nothing' = 'header';
    for await (const bytes of splitLines(source)) {
        const line = parseLine(bytes);
        if (next === 'header') {
            const header = headerOf(line);
            tally.header(bytes);
            next = 'aggregate';
            yield { header };
        } else if (next === 'aggregate' && line['line'] === 'aggregate') {
            const aggregate = aggregateOf(line);
            tally.aggregate(bytes, aggregate.kind);
            yield { aggregate, bytes };
        } else if (next === 'aggregate' && bytes.equals(footerOf(tally))) next = 'nothing';
        else throw damaged('altered');
    }
    if (next !== 'nothing') throw damaged('truncated');
}

async function* splitLines(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let begun: Buffer[] = [];
    for await (const piece of source) {
        let from = 0;
        for (let at = piece.indexOf(NEWLINE); at !== -1; at = piece.indexOf(NEWLINE, from)) {
            const end = piece.subarray(from, at + 1);
            yield begun.length === 0 ? end : Buffer.concat([...begun, end]);
            begun = [];
            from = at + 1;
        }
        if (from < piece.length) begun.push(piece.subarray(from));
    }
    if (begun.length > 0) throw damaged('truncated');
}

function parseLine(bytes: Buffer): Record<string, unknown> {
    try {
        const parsed: unknown = JSON.parse(bytes.toString('utf8'));
        if (isRecord(parsed)) return parsed;
    } catch (error) {
        throw damaged('altered', error);
    }
    throw damaged('altered');
}

function headerOf({ line, ...header }: Record<string, unknown>): ArchiveHeader {
    if (line !== 'header' || typeof header['schemaVersion'] !== 'number') throw damaged('altered');
    // What else a newer one has is not known: this is asked before anything else.
    if (header['schemaVersion'] > SCHEMA_VERSION) throw apiError('BACKUP_TOO_NEW');
    if (!isHeader(header)) throw damaged('altered');
    return header;
}

function isHeader(header: Record<string, unknown>): header is Record<string, unknown> & ArchiveHeader {
    const texts = [header['backupId'], header['tenantId'], header['type'], header['createdAt'], header['appVersion']];
    const components = header['components'];
    return (
        texts.every((text) => typeof text === 'string') &&
        Array.isArray(components) &&
        components.every((component) => typeof component === 'string')
    );
}

function aggregateOf({ kind, id, values }: Record<string, unknown>): Aggregate {
    if (typeof kind !== 'string' || typeof id !== 'string' || !isRecord(values)) throw damaged('altered');
    return { kind, id, values: valuesOf(values) };
}

const MEMBERS: Record<StoredValue['type'], string> = {
    string: 'value',
    hash: 'fields',
    list: 'items',
    set: 'members',
    zset: 'members',
    stream: 'entries',
};

/** Each is of a type that is known, with what belongs to that type; what stands in it is as its writer put it there. */
function valuesOf(values: Record<string, unknown>): Aggregate['values'] {
    if (!Object.values(values).every(isStoredValue)) throw damaged('altered');
    return values as Aggregate['values'];
}

function isStoredValue(value: unknown): value is StoredValue {
    if (!isRecord(value) || typeof value['type'] !== 'string' || !Object.hasOwn(MEMBERS, value['type'])) return false;
    const held = value[MEMBERS[value['type'] as StoredValue['type']]];
    return value['type'] === 'string' ? typeof held === 'string' || isRecord(held) : Array.isArray(held);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
