import { dayOf } from './backup-id.ts';
import { backupKeys } from './keys-store.ts';
import { sizeOf } from './sizes.ts';
import { apiError } from '../../src/http/errors.ts';
import { RecordCodec, type Fields } from '../../src/redis/codec.ts';
import { Collection } from '../../src/redis/collection.ts';
import { openCursor, sealCursor } from '../../src/redis/cursor.ts';
import { outboxKeys, outboxLists, type Outbox } from '../../src/redis/outbox.ts';

import type { ArchiveSummary, Backup, BackupState } from './api.ts';
import type { BackupQuery } from './schemas.ts';
import type { Page } from '../../src/redis/collection.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';
import type { Vault } from '../../src/security/vault.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

const FIELDS: Fields<Backup> = {
    type: 'text',
    components: 'json',
    description: 'text',
    state: 'text',
    trigger: 'text',
    scheduleId: 'text',
    createdBy: 'text',
    processed: 'number',
    counts: 'json',
    bytes: 'number',
    sha256: 'text',
    contentSha256: 'text',
    durationMs: 'number',
    error: 'text',
    verification: 'json',
    completedAt: 'time',
    expiresAt: 'time',
};

/** How many records a page looks at. */
const MOST_LOOKED_AT = 2_000;

/** A backup that is to be begun. */
export type NewBackup = Pick<
    Backup,
    'id' | 'type' | 'components' | 'description' | 'trigger' | 'scheduleId' | 'createdBy' | 'expiresAt'
>;

/** In whose turn it is begun: of a schedule that is moved on, or of a restore that keeps what it replaces. */
export interface Turn {
    schedule?: { id: string; expected: number; next: number };
    restoreId?: string;
}

export type Begun = { at: number } | 'taken' | 'running' | 'restoring' | 'moved';
const BEGUN: Record<number, Exclude<Begun, object>> = {
    0: 'taken',
    [-1]: 'running',
    [-2]: 'restoring',
    [-3]: 'moved',
};

/** A page; what a filter finds is not counted. */
export interface BackupPage {
    items: Backup[];
    pagination: Omit<Page<never>['pagination'], 'totalCount'> & { totalCount?: number };
}

/** Backups of tenants: `backup:<id>`. */
export class BackupStore {
    readonly records: Collection<Backup>;
    readonly #store: Datastore;
    readonly #vault: Vault;
    readonly #codec = new RecordCodec<Backup>(FIELDS);
    readonly #run: Record<'create' | 'hold' | 'finish' | 'change' | 'delete' | 'list', RunScript>;

    constructor(store: Datastore, vault: Vault) {
        this.#store = store;
        this.#vault = vault;
        this.records = new Collection<Backup>(store, vault, {
            name: 'backup',
            fields: FIELDS,
            notFound: 'BACKUP_NOT_FOUND',
        });
        this.#run = {
            create: store.script(lua('create-backup')),
            hold: store.script(lua('hold-work')),
            finish: store.script(lua('finish-backup')),
            change: store.script(lua('change-backup')),
            delete: store.script(lua('delete-backup')),
            list: store.script(lua('list-backups')),
        };
    }

    async begin(tenantId: string, backup: NewBackup, { schedule, restoreId }: Turn, outbox: Outbox): Promise<Begun> {
        const keys = backupKeys(tenantId);
        const { id, ...fields } = backup;
        const change = {
            id,
            fields: this.#codec.encode({ ...fields, state: 'in_progress', processed: 0 }).set,
            expiresAt: String(Date.parse(backup.expiresAt)),
            ...(restoreId !== undefined && { restoreId }),
            ...(schedule && {
                schedule: { id: schedule.id, expected: String(schedule.expected), next: String(schedule.next) },
            }),
            ...outboxLists(outbox),
        };
        const [code, at = 0] = (await this.#run.create(
            [
                ...this.#keys(tenantId, id),
                keys.created,
                keys.running,
                keys.restoring,
                keys.expiring,
                schedule ? keys.schedule(schedule.id) : keys.restore(restoreId ?? 'none'),
                keys.schedulesDue,
            ],
            [JSON.stringify(change)],
        )) as [number, number?];
        return code === 1 ? { at } : (BEGUN[code] ?? 'taken');
    }

    /** @throws BACKUP_NOT_FOUND */
    async get(tenantId: string, id: string): Promise<Backup> {
        const backup = await this.records.get({ tenantId }, id);
        // It is on its way out: nobody is to see it again.
        if (String(backup.state) === 'deleting') throw apiError('BACKUP_NOT_FOUND');
        return backup;
    }

    /** Takes or keeps the lease on a backup that is being made; null: there is nothing to do. */
    async hold(tenantId: string, id: string, lease: Lease, processed?: number): Promise<Backup | 'held' | null> {
        const progress = processed === undefined ? ['', ''] : ['processed', processed];
        const states = JSON.stringify({ in_progress: true });
        const [code, flat = []] = (await this.#run.hold(
            [this.records.key(tenantId, id)],
            [lease.holder, lease.milliseconds, states, ...progress],
        )) as [number, string[]?];
        if (code === 1) return this.records.decode(flat);
        return code === 0 ? null : 'held';
    }

    /** Whether this holder has ended it. */
    async finish(tenantId: string, id: string, ending: Ending): Promise<boolean> {
        const { holder, summary, error, processed, outbox } = ending;
        const keys = backupKeys(tenantId);
        const set = summary
            ? {
                  state: 'completed' as const,
                  processed,
                  counts: summary.counts,
                  bytes: summary.bytes,
                  sha256: summary.sha256,
                  contentSha256: summary.contentSha256,
              }
            : { state: 'failed' as const, error };
        const change = {
            id,
            holder,
            isComplete: summary !== null,
            set: this.#codec.encode(set).set,
            figures: summary ? figuresOf(id, summary.bytes) : ['failed', '1'],
            ...outboxLists(outbox),
        };
        const all = [...this.#keys(tenantId, id), keys.running, keys.done, keys.stats];
        return (await this.#run.finish(all, [JSON.stringify(change)])) === 1;
    }

    /** Changes one that is in one of those states. @throws BACKUP_NOT_FOUND, INVALID_STATE */
    async change(
        tenantId: string,
        id: string,
        states: BackupState[],
        set: Partial<Backup>,
        outbox: Outbox = {},
    ): Promise<Backup> {
        const change = {
            states: Object.fromEntries(states.map((state) => [state, true])),
            set: this.#codec.encode(set).set,
            ...outboxLists(outbox),
        };
        const [code, rest] = (await this.#run.change(this.#keys(tenantId, id), [JSON.stringify(change)])) as [
            number,
            unknown,
        ];
        if (code === 0) throw apiError('BACKUP_NOT_FOUND');
        if (code === -1) throw apiError('INVALID_STATE', { details: { from: String(rest) } });
        return this.records.decode(rest as string[]);
    }

    /** @throws BACKUP_NOT_FOUND, REVISION_MISMATCH, BACKUP_IN_PROGRESS, RESTORE_IN_PROGRESS */
    async delete(tenantId: string, backup: Backup, outbox: Outbox, revision?: number): Promise<void> {
        const { id } = backup;
        const keys = backupKeys(tenantId);
        const change = {
            id,
            ...(revision !== undefined && { revision: String(revision) }),
            day: dayOf(id),
            size: sizeOf(backup.bytes ?? 0),
            ...outboxLists(outbox),
        };
        const { created, done, deleting, expiring, stats, restoring } = keys;
        const all = [...this.#keys(tenantId, id), created, done, deleting, expiring, stats, restoring];
        const [code] = (await this.#run.delete(all, [JSON.stringify(change)])) as [number];
        if (code === 1) return;
        if (code === -1) throw apiError('REVISION_MISMATCH');
        if (code === -2) throw apiError('BACKUP_IN_PROGRESS');
        throw apiError(code === -3 ? 'RESTORE_IN_PROGRESS' : 'BACKUP_NOT_FOUND');
    }

    /** Of one whose archive is gone. */
    async forget(tenantId: string, id: string): Promise<void> {
        const { deleting } = backupKeys(tenantId);
        await this.#store.redis.multi().unlink(this.records.key(tenantId, id)).zrem(deleting, id).exec();
    }

    /** @throws INVALID_CURSOR */
    async list(tenantId: string, query: BackupQuery): Promise<BackupPage> {
        const { type = '', state = '', limit, cursor, order } = query;
        const { created } = backupKeys(tenantId);
        const list = `${created}:${order}:${type}:${state}`;
        const from = cursor === undefined ? { score: '', id: '' } : openCursor(this.#vault, list, cursor);
        const reply = await this.#run.list(
            [created, this.records.key(tenantId, '')],
            [order, limit, from.score, from.id, type, state, MOST_LOOKED_AT],
        );
        const [total, more, score, id, ...found] = reply as [number, number, string, string, ...string[][]];
        const next = more === 1 ? sealCursor(this.#vault, list, { score, id }) : null;
        const totalCount = type === '' && state === '' ? { totalCount: total } : {};
        return {
            items: found.map((flat) => this.records.decode(flat)),
            pagination: { cursor: next, limit, hasMore: next !== null, ...totalCount },
        };
    }

    #keys(tenantId: string, id: string): string[] {
        return [this.records.key(tenantId, id), ...outboxKeys(tenantId)];
    }
}

/** A process that works on something, and for how long it says so at a time. */
export interface Lease {
    holder: string;
    milliseconds: number;
}

/** How a backup ended: by its archive, or by the code of an error. */
export interface Ending {
    holder: string;
    summary: ArchiveSummary | null;
    error: string | null;
    processed: number;
    outbox: Outbox;
}

const figuresOf = (id: string, bytes: number): string[] =>
    [
        ['completed', 1],
        ['bytes', bytes],
        [`day:${dayOf(id)}:count`, 1],
        [`day:${dayOf(id)}:bytes`, bytes],
        [`size:${sizeOf(bytes)}`, 1],
    ].flatMap(([name, figure]) => [String(name), String(figure)]);
