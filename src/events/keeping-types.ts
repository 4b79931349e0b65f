import { happening } from './entry.ts';

/** What happens to what is kept of a tenant, and to who is told of events. */
export const keepingTypes = {
    'backup.started': happening('A backup is being made.', ['backupId']),
    'backup.completed': happening('A backup is there.', ['backupId']),
    'backup.failed': happening('A backup could not be made.', ['backupId']),
    'backup.verified': happening('A backup was read through and is whole.', ['backupId']),
    'backup.deleted': happening('A backup was deleted.', ['backupId']),
    'backup.restore_started': happening('A backup is being restored.', ['backupId']),
    'backup.restored': happening('A backup has taken the place of what was there.', ['backupId']),
    'backup.restore_failed': happening('A backup could not be restored; everything is as it was.', ['backupId']),
    'schedule.created': happening('Backups are made by a new schedule.', ['scheduleId']),
    'schedule.updated': happening('A schedule of backups has changed.', ['scheduleId']),
    'schedule.deleted': happening('A schedule of backups is gone.', ['scheduleId']),

    'webhook.created': happening('There is a new webhook.', ['webhookId']),
    'webhook.updated': happening('A webhook has changed.', ['webhookId']),
    'webhook.deleted': happening('A webhook was deleted.', ['webhookId']),
    'webhook.disabled': happening('A webhook is sent nothing any more, because it failed for too long.', ['webhookId']),
    'webhook.test': happening('Somebody tries a webhook.', ['webhookId']),
};
