import { backupKeys } from './keys-store.ts';
import { apiError, type ErrorCode } from '../../src/http/errors.ts';
import { RecordCodec, isoTime, type Fields } from '../../src/redis/codec.ts';
import { Collection } from '../../src/redis/collection.ts';
import { outboxKeys, outboxLists, type Outbox } from '../../src/redis/outbox.ts';

import type { Restore, RestoreState } from './api.ts';
import type { Lease } from './backup-store.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';
import type { Vault } from '../../src/security/vault.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

const FIELDS: Fields<Restore> = {
    backupId: 'text',
    components: 'json',
    withPlan: 'boolean',
    state: 'text',
    safetyBackupId: 'text',
    createdBy: 'text',
    error: 'text',
    errorDetails: 'json',
    completedAt: 'time',
};

/** How long one is told of after its end. */
const KEPT_MS = 30 * 24 * 3600 * 1000;
const WORKED_ON = { verifying: true, safety_backup: true, staging: true, swapping: true };

export type NewRestore = Pick<Restore, 'id' | 'backupId' | 'components' | 'withPlan' | 'createdBy'>;

/** A step of a restore from one state to another. */
export interface Advance {
    holder: string;
    from: RestoreState;
    to: RestoreState;
    error?: string;
    errorDetails?: Record<string, unknown> | undefined;
    outbox?: Outbox;
}

const REFUSALS: Record<number, ErrorCode> = {
    0: 'BACKUP_NOT_FOUND',
    [-1]: 'BACKUP_IN_PROGRESS',
    [-2]: 'RESTORE_IN_PROGRESS',
};

/** Restores of tenants: `backup-restore:<id>`. */
export class RestoreStore {
    readonly records: Collection<Restore>;
    readonly #codec = new RecordCodec<Restore>(FIELDS);
    readonly #run: Record<'create' | 'hold' | 'advance', RunScript>;

    constructor(store: Datastore, vault: Vault) {
        this.records = new Collection<Restore>(store, vault, {
            name: 'backup-restore',
            fields: FIELDS,
            notFound: 'RESTORE_NOT_FOUND',
        });
        this.#run = {
            create: store.script(lua('create-restore')),
            hold: store.script(lua('hold-work')),
            advance: store.script(lua('advance-restore')),
        };
    }

    /**
     * @param backupKey Where its backup's record is
     * @throws BACKUP_NOT_FOUND, BACKUP_IN_PROGRESS, RESTORE_IN_PROGRESS, INVALID_STATE
     */
    async begin(tenantId: string, restore: NewRestore, backupKey: string, outbox: Outbox): Promise<Restore> {
        const keys = backupKeys(tenantId);
        const { id, ...fields } = restore;
        const change = {
            id,
            backupId: restore.backupId,
            fields: this.#codec.encode({ ...fields, state: 'verifying' }).set,
            ...outboxLists(outbox),
        };
        const [code, rest] = (await this.#run.create(
            [...this.#keys(tenantId, id), keys.restoring, keys.running, backupKey],
            [JSON.stringify(change)],
        )) as [number, unknown];
        if (code === -3) throw apiError('INVALID_STATE', { details: { from: String(rest) } });
        if (code !== 1) throw apiError(REFUSALS[code] ?? 'BACKUP_NOT_FOUND');
        const time = isoTime(Number(rest));
        return {
            ...restore,
            state: 'verifying',
            safetyBackupId: null,
            error: null,
            errorDetails: null,
            completedAt: null,
            revision: 1,
            createdAt: time,
            updatedAt: time,
        };
    }

    /** Takes or keeps the lease on a restore that runs; null: there is nothing to do. */
    async hold(tenantId: string, id: string, { holder, milliseconds }: Lease): Promise<Restore | 'held' | null> {
        const [code, flat = []] = (await this.#run.hold(
            [this.records.key(tenantId, id)],
            [holder, milliseconds, JSON.stringify(WORKED_ON), '', ''],
        )) as [number, string[]?];
        if (code === 1) return this.records.decode(flat);
        return code === 0 ? null : 'held';
    }

    /** Whether it was this holder who brought it there. */
    async advance(tenantId: string, id: string, { holder, from, to, ...rest }: Advance): Promise<boolean> {
        const { error, errorDetails, outbox = {} } = rest;
        const change = {
            id,
            holder,
            from,
            isEnded: to === 'completed' || to === 'failed',
            lifetime: KEPT_MS,
            set: this.#codec.encode({
                state: to,
                ...(error !== undefined && { error }),
                ...(errorDetails && { errorDetails }),
            }).set,
            ...outboxLists(outbox),
        };
        const keys = [...this.#keys(tenantId, id), backupKeys(tenantId).restoring];
        return (await this.#run.advance(keys, [JSON.stringify(change)])) === 1;
    }

    #keys(tenantId: string, id: string): string[] {
        return [this.records.key(tenantId, id), ...outboxKeys(tenantId)];
    }
}
