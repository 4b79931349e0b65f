import { JOB_STATES } from '../../src/jobs/job-list.ts';
import { PLATFORM } from '../../src/redis/keys.ts';
import { inPlatformAudit, tellLook } from '../../src/redis/platform-audit.ts';

import type { JobCursors } from './job-cursor.ts';
import type { JobCounts, JobState, JobView } from '../../src/jobs/job-list.ts';
import type { JobQueues } from '../../src/jobs/jobs.ts';
import type { AppendOutbox } from '../../src/redis/append-outbox.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { TenantService } from '../tenants/api.ts';

export interface JobQuery {
    state: JobState;
    limit: number;
    cursor?: string | undefined;
}

export interface JobParts {
    jobs: Pick<JobQueues, 'list' | 'counts' | 'retry'>;
    cursors: JobCursors;
    tenants: Pick<TenantService, 'exists'>;
    append: AppendOutbox;
}

/** Of all queues. */
const overAll = (queues: JobCounts): Record<JobState, number> => {
    const sum = (state: JobState) => Object.values(queues).reduce((all, counts) => all + counts[state], 0);
    return Object.fromEntries(JOB_STATES.map((state) => [state, sum(state)])) as Record<JobState, number>;
};

export type JobService = ReturnType<typeof createJobService>;

/** What is done in the background, for who runs the platform. */
export function createJobService({ jobs, cursors, tenants, append }: JobParts) {
    return {
        /** Jobs in one state, and how many there are in each. Told in the platform's audit. @throws INVALID_CURSOR */
        async list(actor: Actor, { state, limit, cursor }: JobQuery) {
            const place = cursors.open(state, cursor);
            await tellLook(append, actor, { id: PLATFORM, resource: 'job', action: 'job.list' });
            const [page, counts] = await Promise.all([jobs.list(state, place, limit), jobs.counts().then(overAll)]);
            const next = page.next && cursors.seal(state, page.next);
            const pagination = { cursor: next, limit, hasMore: next !== null, totalCount: counts[state] };
            return { jobs: page.jobs, counts, pagination };
        },

        /** Told in the audit of the platform and of the job's tenant. @throws JOB_NOT_FOUND, JOB_NOT_FAILED */
        async retry(actor: Actor, id: string): Promise<JobView> {
            return inPlatformAudit(append, actor, { id, resource: 'job', action: 'job.retry' }, async (audit) => {
                const job = await jobs.retry(id);
                const { tenantId } = job;
                const isOfTenant = tenantId !== PLATFORM && (await tenants.exists(tenantId));
                if (isOfTenant) await append(tenantId, { audit: [audit] });
                return job;
            });
        },
    };
}
