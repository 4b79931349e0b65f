import { nextRun } from './cron.ts';
import { tell } from './outbox.ts';
import { apiError, isApiError } from '../../src/http/errors.ts';
import { newId } from '../../src/ids.ts';
import { isoTime } from '../../src/redis/codec.ts';

import type { BackupSchedule } from './api.ts';
import type { ScheduleChanges, ScheduleFields } from './schedule-schemas.ts';
import type { ScheduleDetails, ScheduleStore } from './schedule-store.ts';
import type { Clock } from '../../src/clock.ts';
import type { DueTenants } from '../../src/redis/due-tenants.ts';
import type { Actor } from '../../src/types/actor.ts';

const MOST = 10;
/** Of changes that meet without anybody's having named a revision. */
const TRIES = 5;

const usual = { timezone: 'UTC', retentionDays: 30, enabled: false, lastRunAt: null, nextRunAt: null };

/** The schedules that every tenant has from the beginning, switched off. */
export const defaultSchedules = (): ScheduleDetails[] => [
    { id: newId('schedule'), name: 'Daily backup', cron: '0 2 * * *', type: 'full', ...usual },
    { id: newId('schedule'), name: 'Weekly database backup', cron: '0 3 * * 0', type: 'database', ...usual },
];

/** When it fires next; null: it is switched off. */
export const nextRunOf = (
    { cron, timezone, enabled }: Pick<BackupSchedule, 'cron' | 'timezone' | 'enabled'>,
    after: number,
): string | null => (enabled ? isoTime(nextRun(cron, timezone, after)) : null);

export interface ScheduleParts {
    store: ScheduleStore;
    tenants: DueTenants;
    clock: Clock;
}

/** Schedules of the actor's tenant. */
export class Schedules {
    readonly #parts: ScheduleParts;

    constructor(parts: ScheduleParts) {
        this.#parts = parts;
    }

    list = ({ tenantId }: Actor): Promise<BackupSchedule[]> => this.#parts.store.list(tenantId);

    /** @throws QUOTA_EXCEEDED */
    async create(actor: Actor, fields: ScheduleFields): Promise<BackupSchedule> {
        const { store, clock } = this.#parts;
        const id = newId('schedule');
        await this.#noteIf(fields.enabled, actor.tenantId);
        const schedule = { id, ...fields, lastRunAt: null, nextRunAt: nextRunOf(fields, clock()) };
        const { name, cron, timezone, type, enabled } = fields;
        const outbox = tell(actor, {
            event: 'schedule.created',
            data: { scheduleId: id, type, enabled },
            action: 'schedule.create',
            resource: 'backup_schedule',
            id,
            details: { name, cron, timezone, type, enabled },
        });
        const created = await store.create(actor.tenantId, schedule, MOST, outbox);
        if (created) return created;
        const details = { quota: 'backupSchedules', used: MOST, limit: MOST, resetsAt: null };
        throw apiError('QUOTA_EXCEEDED', { details });
    }

    /** @throws SCHEDULE_NOT_FOUND, REVISION_MISMATCH */
    async update(actor: Actor, id: string, changes: ScheduleChanges, revision?: number): Promise<BackupSchedule> {
        for (let tries = 1; ; tries++) {
            try {
                return await this.#update(actor, id, changes, revision);
            } catch (error) {
                const hasMet = revision === undefined && isApiError(error, 'REVISION_MISMATCH');
                if (!hasMet || tries === TRIES) throw error;
            }
        }
    }

    /** @throws SCHEDULE_NOT_FOUND, REVISION_MISMATCH */
    delete(actor: Actor, id: string, revision?: number): Promise<void> {
        const data = { scheduleId: id };
        const told = {
            event: 'schedule.deleted',
            data,
            action: 'schedule.delete',
            resource: 'backup_schedule',
            id,
        } as const;
        return this.#parts.store.delete(actor.tenantId, id, { revision, outbox: tell(actor, told) });
    }

    async #update(actor: Actor, id: string, changes: ScheduleChanges, revision?: number) {
        const { store, clock } = this.#parts;
        const { tenantId } = actor;
        const before = await store.records.get({ tenantId }, id);
        const after = { ...before, ...changes };
        // What only its name changes goes on at the time that it has.
        const isRetimed = (['cron', 'timezone', 'enabled'] as const).some((field) => before[field] !== after[field]);
        const nextRunAt = isRetimed ? nextRunOf(after, clock()) : before.nextRunAt;
        await this.#noteIf(after.enabled, tenantId);
        const outbox = tell(actor, {
            event: 'schedule.updated',
            data: { scheduleId: id, type: after.type, enabled: after.enabled },
            action: 'schedule.update',
            resource: 'backup_schedule',
            id,
            details: { fields: Object.keys(changes) },
        });
        const guarded = { revision: revision ?? before.revision, outbox };
        return store.update(tenantId, id, { ...changes, nextRunAt }, guarded);
    }

    /** Before there is something to fire. */
    async #noteIf(isEnabled: boolean, tenantId: string): Promise<void> {
        if (isEnabled) await this.#parts.tenants.note(tenantId);
    }
}
