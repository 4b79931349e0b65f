import { createGunzip, createGzip } from 'node:zlib';

import { damaged } from './faults.ts';
import { LineTally, readLines, writeLines, type ReadLine } from './lines.ts';
import { Measured } from './measured.ts';
import { newPreamble, readPreamble, type ArchivePlace } from './preamble.ts';
import { openChunks, sealChunks } from './sealed-chunks.ts';
import { through } from './through.ts';
import { apiError, isApiError } from '../../../src/http/errors.ts';
import { ByteReader, inPieces } from '../byte-reader.ts';

import type { Aggregate } from '../../../src/redis/aggregate.ts';
import type { Vault } from '../../../src/security/vault.ts';
import type { ArchiveHeader, ArchiveSummary } from '../api.ts';

/** What zlib is given and gives at a time: lines are small, and each turn of it has its price. */
const TURN_BYTES = 64 * 1_024;

/** An archive as a file that is being written. */
export interface WrittenFile {
    body: AsyncIterable<Buffer>;
    /** When all of the body has been taken. */
    summary: () => ArchiveSummary;
}

/** An archive as a file that is being read. */
export interface ReadFile {
    lines: AsyncGenerator<ReadLine>;
    /** SHA-256 of what stands in front: no two archives have the same, for their keys are new. */
    identity: Buffer;
    /** When all of the lines have been taken. */
    summary: (header: ArchiveHeader) => ArchiveSummary;
}

const summaryOf = (header: ArchiveHeader, tally: LineTally, file: Measured): ArchiveSummary => ({
    header,
    counts: { ...tally.counts },
    bytes: file.bytes,
    sha256: file.sha256(),
    contentSha256: tally.contentSha256(),
});

export function writeFile(vault: Vault, header: ArchiveHeader, aggregates: AsyncIterable<Aggregate>): WrittenFile {
    const tally = new LineTally();
    const { bytes, sealing } = newPreamble(vault, header);
    const lines = inTurns(writeLines(header, aggregates, tally));
    const sealed = sealChunks(through(lines, createGzip({ chunkSize: TURN_BYTES })), sealing);
    const file = new Measured(after(bytes, sealed));
    return { body: file.body, summary: () => summaryOf(header, tally, file) };
}

/** What is asked for, and, when it was verified before, by what it is known again. */
export interface AskedFile extends ArchivePlace {
    identity?: Buffer;
}

/** @throws BACKUP_DAMAGED, BACKUP_FOREIGN, BACKUP_TOO_NEW: here for what stands in front, and while lines are taken */
export async function readFile(vault: Vault, asked: AskedFile, source: AsyncIterable<Buffer>): Promise<ReadFile> {
    const tally = new LineTally();
    const file = new Measured(source);
    const reader = new ByteReader(file.body);
    try {
        const sealing = await readPreamble(reader, vault, asked);
        const identity = sealing.associated;
        if (asked.identity && !asked.identity.equals(identity)) throw damaged('replaced');
        const lines = ownLines(asked, readLines(unzipped(openChunks(reader, sealing)), tally));
        return { lines, identity, summary: (header) => summaryOf(header, tally, file) };
    } catch (error) {
        await reader.close();
        throw error;
    }
}

async function* after(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    yield first;
    yield* rest;
}

async function* inTurns(lines: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const { piece } of inPieces(new ByteReader(lines), TURN_BYTES)) yield piece;
}

async function* unzipped(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    try {
        yield* through(source, createGunzip({ chunkSize: TURN_BYTES }));
    } catch (error) {
        throw isApiError(error) ? error : damaged('altered', error);
    }
}

/** The name of the file and what stands in front of it said whose it is; its own first line has the last word. */
async function* ownLines(
    { tenantId, backupId }: ArchivePlace,
    lines: AsyncIterable<ReadLine>,
): AsyncGenerator<ReadLine> {
    for await (const line of lines) {
        const isForeign = 'header' in line && (line.header.tenantId !== tenantId || line.header.backupId !== backupId);
        if (isForeign) throw apiError('BACKUP_FOREIGN');
        yield line;
    }
}
