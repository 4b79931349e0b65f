import { accountJobs } from '../plugins/accounts/jobs.ts';
import { auditJobs, auditSchedule } from '../plugins/audit/jobs.ts';
import { backupJobs, backupSchedule } from '../plugins/backups/jobs.ts';
import { directoryJobs, directorySchedule } from '../plugins/directory/jobs.ts';
import { projectJobs } from '../plugins/projects/jobs.ts';
import { reportJobs, reportSchedule } from '../plugins/reports/jobs.ts';
import { tenantJobs } from '../plugins/tenants/jobs.ts';
import { threadJobs } from '../plugins/threads/jobs.ts';
import { tunnelJobs, tunnelSchedule } from '../plugins/tunnels/jobs.ts';
import { userJobs } from '../plugins/users/jobs.ts';
import { vmJobs, vmSchedule } from '../plugins/vms/jobs.ts';
import { webhookJobs, webhookSchedule } from '../plugins/webhooks/jobs.ts';

import type { Server } from '@hapi/hapi';
import type { Processors } from './jobs/worker.ts';

/** What the workers do for each feature. */
export const processorsOf = ({
    plugins: {
        accounts,
        audit,
        backups,
        directory,
        projects,
        reports,
        tenants,
        threads,
        tunnels,
        users,
        vms,
        webhooks,
    },
}: Server): Processors => ({
    ...accountJobs(accounts),
    ...auditJobs(audit),
    ...backupJobs(backups),
    ...directoryJobs(directory),
    ...projectJobs(projects),
    ...reportJobs(reports),
    ...tenantJobs(tenants),
    ...threadJobs(threads),
    ...tunnelJobs(tunnels),
    ...userJobs(users),
    ...vmJobs(vms),
    ...webhookJobs(webhooks),
});

/** Begins what every worker does all the time. */
export function startLoops({ plugins: { directory, events } }: Server): void {
    events.start();
    directory.start();
}

/** What one of the workers does again and again: milliseconds between, by the names of the jobs. */
export const schedule: Record<string, number> = {
    ...auditSchedule,
    ...backupSchedule,
    ...directorySchedule,
    ...reportSchedule,
    ...tunnelSchedule,
    ...vmSchedule,
    ...webhookSchedule,
};
