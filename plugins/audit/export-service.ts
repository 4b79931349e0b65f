import { csv } from '../../src/csv.ts';
import { audited } from '../../src/redis/outbox.ts';

import type { AuditRecord } from './entry.ts';
import type { AuditFilter, ExportQuery } from './query.ts';
import type { AuditStore } from './store.ts';
import type { AppendOutbox } from '../../src/redis/append-outbox.ts';
import type { Actor } from '../../src/types/actor.ts';

/** How many entries are in memory at once, as text. */
const BATCH = 250;

const COLUMNS = [
    'id',
    'timestamp',
    'tenantId',
    'userId',
    'actorType',
    'actorId',
    'action',
    'resource',
    'resourceId',
    'result',
    'details',
    'ipAddress',
    'userAgent',
    'correlationId',
    'hash',
];

/** The audit as a file. */
export class ExportService {
    readonly #store: AuditStore;
    readonly #append: AppendOutbox;

    constructor(store: AuditStore, append: AppendOutbox) {
        this.#store = store;
        this.#append = append;
    }

    /**
     * All entries that fit, up to the one that tells of the export itself, in pieces that are made when they are asked
     * for.
     */
    async export(actor: Actor, { format, order, ...filter }: ExportQuery): Promise<AsyncIterable<string>> {
        const { tenantId } = actor;
        await this.#append(tenantId, { audit: [begun(actor, { format, ...filter })] });
        const until = await this.#store.newestId(tenantId);
        const pages = this.#store.pages(tenantId, filter, { order, limit: BATCH, until });
        return format === 'csv' ? asCsv(pages) : asLines(pages);
    }
}

/** Told before the first byte: who has a part has it. */
const begun = (actor: Actor, details: AuditFilter & { format: string }) =>
    audited(actor, {
        action: 'audit.export',
        resource: 'audit',
        resourceId: actor.tenantId,
        result: 'success',
        details: { ...details },
    });

async function* asCsv(pages: AsyncIterable<AuditRecord[]>): AsyncGenerator<string> {
    yield csv([COLUMNS]);
    for await (const entries of pages) yield csv(entries.map(rowOf));
}

const rowOf = (entry: AuditRecord): (string | null)[] => [
    entry.id,
    entry.timestamp,
    entry.tenantId,
    entry.userId,
    entry.actor.type,
    entry.actor.id,
    entry.action,
    entry.resource,
    entry.resourceId,
    entry.result,
    Object.keys(entry.details).length === 0 ? null : JSON.stringify(entry.details),
    entry.ipAddress,
    entry.userAgent,
    entry.correlationId,
    entry.hash,
];

async function* asLines(pages: AsyncIterable<AuditRecord[]>): AsyncGenerator<string> {
    for await (const entries of pages) yield entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
}
