import { audited, type AuditEntry, type EventEntry, type Outbox } from '../../src/redis/outbox.ts';

import type { Actor } from '../../src/types/actor.ts';

/** Somebody, or nobody: a schedule, a job, an operator. */
export type Doer = Actor | null;

type BackupEvent =
    | 'backup.started'
    | 'backup.completed'
    | 'backup.failed'
    | 'backup.verified'
    | 'backup.deleted'
    | 'backup.restore_started'
    | 'backup.restored'
    | 'backup.restore_failed'
    | 'schedule.created'
    | 'schedule.updated'
    | 'schedule.deleted';

/** An event and what is done, by whom, for the same script. */
export interface Told {
    event?: BackupEvent;
    data?: Record<string, unknown>;
    action: string;
    resource: 'backup' | 'backup_restore' | 'backup_schedule';
    id: string;
    result?: string;
    details?: Record<string, unknown>;
}

export function tell(
    doer: Doer,
    { event, data = {}, action, resource, id, result = 'success', details }: Told,
): Outbox {
    const entry = { action, resource, resourceId: id, result, ...(details && { details }) };
    const events: EventEntry[] = event ? [{ type: event, data }] : [];
    const audit: AuditEntry = doer ? audited(doer, { userId: doer.userId, ...entry }) : entry;
    return { events, audit: [audit] };
}
