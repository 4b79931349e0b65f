import { backupKeys } from './keys-store.ts';
import { apiError } from '../../src/http/errors.ts';
import { isoTime, RecordCodec, type Fields } from '../../src/redis/codec.ts';
import { Collection, type ChangeOptions } from '../../src/redis/collection.ts';
import { outboxKeys, outboxLists, type Outbox } from '../../src/redis/outbox.ts';

import type { BackupSchedule } from './api.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';
import type { Vault } from '../../src/security/vault.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

const FIELDS: Fields<BackupSchedule> = {
    name: 'text',
    cron: 'text',
    timezone: 'text',
    type: 'text',
    retentionDays: 'number',
    enabled: 'boolean',
    lastRunAt: 'time',
    nextRunAt: 'time',
};

export type ScheduleDetails = Omit<BackupSchedule, 'revision' | 'createdAt' | 'updatedAt'>;

/** Schedules of tenants: `backup-schedule:<id>`. */
export class ScheduleStore {
    readonly records: Collection<BackupSchedule>;
    readonly #codec = new RecordCodec<BackupSchedule>(FIELDS);
    readonly #run: Record<'list' | 'create' | 'update' | 'delete', RunScript>;
    readonly #defaults: () => ScheduleDetails[];

    /** @param defaults Those that every tenant has from the beginning */
    constructor(store: Datastore, vault: Vault, defaults: () => ScheduleDetails[]) {
        this.#defaults = defaults;
        this.records = new Collection<BackupSchedule>(store, vault, {
            name: 'backup-schedule',
            fields: FIELDS,
            notFound: 'SCHEDULE_NOT_FOUND',
        });
        this.#run = {
            list: store.script(lua('list-schedules')),
            create: store.script(lua('create-schedule')),
            update: store.script(lua('update-schedule')),
            delete: store.script(lua('delete-schedule')),
        };
    }

    /** All of them, oldest first. */
    async list(tenantId: string): Promise<BackupSchedule[]> {
        const found = await this.#run.list(this.#listKeys(tenantId), [JSON.stringify(this.#drafts())]);
        return (found as string[][]).map((flat) => this.records.decode(flat));
    }

    /** @returns Null when there are so many already */
    async create(
        tenantId: string,
        schedule: ScheduleDetails,
        most: number,
        outbox: Outbox,
    ): Promise<BackupSchedule | null> {
        const change = {
            ...this.#draft(schedule),
            ...nextOf(schedule),
            most,
            defaults: this.#drafts(),
            ...outboxLists(outbox),
        };
        const keys = [...this.#listKeys(tenantId), ...outboxKeys(tenantId), backupKeys(tenantId).schedulesDue];
        const [code, at = 0] = (await this.#run.create(keys, [JSON.stringify(change)])) as [number, number?];
        const time = isoTime(at);
        return code === 1 ? { ...schedule, revision: 1, createdAt: time, updatedAt: time } : null;
    }

    /**
     * @param changes With the next time, or null where it is switched off. @throws SCHEDULE_NOT_FOUND,
     *   REVISION_MISMATCH
     */
    async update(
        tenantId: string,
        id: string,
        changes: Partial<ScheduleDetails> & Pick<ScheduleDetails, 'nextRunAt'>,
        { revision, outbox = {} }: ChangeOptions,
    ): Promise<BackupSchedule> {
        const change = {
            id,
            revision: String(revision),
            ...this.#codec.encode(changes),
            ...nextOf(changes),
            ...outboxLists(outbox),
        };
        const keys = [...this.#keys(tenantId, id), backupKeys(tenantId).schedulesDue];
        const [code, flat = []] = (await this.#run.update(keys, [JSON.stringify(change)])) as [number, string[]?];
        if (code !== 1) throw refusal(code);
        return this.records.decode(flat);
    }

    /** @throws SCHEDULE_NOT_FOUND, REVISION_MISMATCH */
    async delete(tenantId: string, id: string, { revision, outbox = {} }: ChangeOptions): Promise<void> {
        const change = {
            id,
            ...(revision !== undefined && { revision: String(revision) }),
            ...outboxLists(outbox),
        };
        const { schedulesDue, schedules } = backupKeys(tenantId);
        const keys = [...this.#keys(tenantId, id), schedulesDue, schedules];
        const code = Number(await this.#run.delete(keys, [JSON.stringify(change)]));
        if (code !== 1) throw refusal(code);
    }

    #drafts() {
        return this.#defaults().map((schedule) => this.#draft(schedule));
    }

    #draft({ id, ...fields }: ScheduleDetails) {
        return { id, fields: this.#codec.encode(fields).set };
    }

    #keys(tenantId: string, id: string): string[] {
        return [this.records.key(tenantId, id), ...outboxKeys(tenantId)];
    }

    #listKeys(tenantId: string): string[] {
        const { schedules, schedulesMade, schedulePrefix } = backupKeys(tenantId);
        return [schedules, schedulesMade, schedulePrefix];
    }
}

const nextOf = ({ nextRunAt }: Pick<ScheduleDetails, 'nextRunAt'>) =>
    nextRunAt === null ? {} : { next: String(Date.parse(nextRunAt)) };

const refusal = (code: number) => apiError(code === -1 ? 'REVISION_MISMATCH' : 'SCHEDULE_NOT_FOUND');
