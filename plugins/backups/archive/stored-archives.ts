import { readFile, writeFile, type AskedFile, type ReadFile } from './archive-file.ts';
import { DigestTable } from './digest-table.ts';
import { damaged } from './faults.ts';
import { SCHEMA_VERSION, type ReadLine } from './lines.ts';
import { apiError } from '../../../src/http/errors.ts';
import { PLATFORM } from '../../../src/redis/keys.ts';

import type { ArchivePlace } from './preamble.ts';
import type { Aggregate } from '../../../src/redis/aggregate.ts';
import type { Vault } from '../../../src/security/vault.ts';
import type { ArchiveDifference, ArchiveHeader, Archives, ArchiveSummary } from '../api.ts';
import type { BackupStorage } from '../storage/index.ts';

export interface ArchivesOptions {
    storage: BackupStorage;
    vault: Vault;
}

const TENANT = new RegExp(`^(?:tenant_[0-9A-HJKMNP-TV-Z]{26}|${PLATFORM})$`);
const BACKUP = /^backup_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d(?:-[1-9]\d{0,5})?$/;

function nameOf({ tenantId, backupId }: ArchivePlace): string {
    if (!TENANT.test(tenantId)) throw new Error('An archive needs the id of a tenant');
    if (!BACKUP.test(backupId)) throw new Error('An archive needs the id of a backup');
    return `${tenantId}/${backupId}.archive`;
}

/** An archive that was read to its end, and by what another pass knows it again. */
interface Verified {
    summary: ArchiveSummary;
    identity: Buffer;
}

export class StoredArchives implements Archives {
    readonly #storage: BackupStorage;
    readonly #vault: Vault;

    constructor({ storage, vault }: ArchivesOptions) {
        this.#storage = storage;
        this.#vault = vault;
    }

    async write(header: ArchiveHeader, aggregates: AsyncIterable<Aggregate>): Promise<ArchiveSummary> {
        if (header.schemaVersion !== SCHEMA_VERSION)
            throw new Error(`Archives are written in schema ${SCHEMA_VERSION}`);
        const file = writeFile(this.#vault, header, aggregates);
        await this.#storage.write(nameOf(header), file.body);
        return file.summary();
    }

    async verify(tenantId: string, backupId: string): Promise<ArchiveSummary> {
        const { summary } = await this.#verify({ tenantId, backupId });
        return summary;
    }

    async *read(tenantId: string, backupId: string): AsyncGenerator<Aggregate> {
        const place = { tenantId, backupId };
        for await (const { aggregate } of this.#aggregates(place, await this.#verify(place))) yield aggregate;
    }

    async download(tenantId: string, backupId: string): Promise<{ body: AsyncIterable<Buffer>; bytes: number }> {
        const name = nameOf({ tenantId, backupId });
        const found = await this.#storage.stat(name);
        if (!found) throw damaged('missing');
        return { body: whole(this.#storage.read(name), found.bytes), bytes: found.bytes };
    }

    async delete(tenantId: string, backupId: string): Promise<void> {
        await this.#storage.delete(nameOf({ tenantId, backupId }));
    }

    async compare(tenantId: string, firstId: string, secondId: string): Promise<ArchiveDifference> {
        const [first, second] = [
            { tenantId, backupId: firstId },
            { tenantId, backupId: secondId },
        ];
        const before = await this.#verify(first);
        const after = await this.#verify(second);
        const table = new DigestTable(Object.values(before.summary.counts).reduce((sum, count) => sum + count, 0));
        for await (const { aggregate, bytes } of this.#aggregates(first, before)) table.add(aggregate, bytes);
        const difference: ArchiveDifference = { added: {}, removed: {}, changed: {}, unchanged: {} };
        for await (const { aggregate, bytes } of this.#aggregates(second, after)) {
            count(difference[table.compare(aggregate, bytes)], aggregate.kind);
        }
        for (const [kind, had] of Object.entries(before.summary.counts)) {
            const kept = (difference.changed[kind] ?? 0) + (difference.unchanged[kind] ?? 0);
            if (had > kept) difference.removed[kind] = had - kept;
        }
        return difference;
    }

    async #verify(place: ArchivePlace): Promise<Verified> {
        const file = await this.#open(place);
        const header = await headerOf(file.lines);
        return { summary: file.summary(header), identity: file.identity };
    }

    /** What was verified, once more: a file that has changed since is refused before its first aggregate. */
    async *#aggregates(
        place: ArchivePlace,
        { identity }: Verified,
    ): AsyncGenerator<Extract<ReadLine, { bytes: Buffer }>> {
        const file = await this.#open({ ...place, identity });
        for await (const line of file.lines) if ('aggregate' in line) yield line;
    }

    async #open(asked: AskedFile): Promise<ReadFile> {
        return readFile(this.#vault, asked, this.#storage.read(nameOf(asked)));
    }
}

const count = (counts: Record<string, number>, kind: string): void => {
    counts[kind] = (counts[kind] ?? 0) + 1;
};

async function headerOf(lines: AsyncIterable<ReadLine>): Promise<ArchiveHeader> {
    let header: ArchiveHeader | undefined;
    for await (const line of lines) if ('header' in line) header = line.header;
    if (!header) throw damaged('truncated');
    return header;
}

/** A file that is replaced between its size and its bytes must not seem whole. */
async function* whole(body: AsyncIterable<Buffer>, bytes: number): AsyncGenerator<Buffer> {
    let sent = 0;
    for await (const piece of body) {
        sent += piece.length;
        yield piece;
    }
    if (sent !== bytes) throw apiError('BACKUP_STORAGE_UNAVAILABLE', { cause: new Error('The file has changed') });
}
