import { nextRun } from './cron.ts';
import { aggregateReader, hashOf, withFields } from '../../src/redis/stored-values.ts';

import type { ScheduleStore } from './schedule-store.ts';
import type { Clock } from '../../src/clock.ts';
import type { Aggregate, AggregateKind, IndexEntry } from '../../src/redis/aggregate.ts';
import type { Datastore } from '../../src/redis/datastore.ts';
import type { DueTenants } from '../../src/redis/due-tenants.ts';

export interface ScheduleAggregateParts {
    datastore: Datastore;
    store: ScheduleStore;
    tenants: DueTenants;
    clock: Clock;
}

/** Schedules, as backups take them: one that is put back fires at its next time from then on. */
export function scheduleAggregates({ datastore, store, tenants, clock }: ScheduleAggregateParts): AggregateKind {
    const read = aggregateReader(datastore);
    return {
        kind: 'backup-schedule',
        component: 'deployment',
        async *ids(tenantId) {
            const schedules = await store.list(tenantId);
            if (schedules.length > 0) yield schedules.map(({ id }) => id);
        },
        read: (tenantId, id) => read(tenantId, 'backup-schedule', id, [store.records.key(tenantId, id)]),
        settled: (schedule) => withFields(schedule, keyOf(schedule), nextOf(recordOf(schedule), clock())),
        indexes: linesOf,
        leftovers: () => Promise.resolve([]),
        resume: (tenantId) => tenants.note(tenantId),
    };
}

const keyOf = ({ id }: Aggregate): string => `backup-schedule:${id}`;
const recordOf = (schedule: Aggregate) => hashOf(schedule, keyOf(schedule));

function nextOf({ enabled, cron = '', timezone = '' }: Record<string, string>, now: number) {
    return { nextRunAt: enabled === '1' ? String(nextRun(cron, timezone, now)) : null };
}

function linesOf(schedule: Aggregate): IndexEntry[] {
    const { createdAt = '0', nextRunAt } = recordOf(schedule);
    const line = (key: string[], score: string) => ({ key, type: 'zset' as const, member: schedule.id, score });
    return [
        line(['backup-schedules'], createdAt),
        ...(nextRunAt === undefined ? [] : [line(['backup-schedules', 'due'], nextRunAt)]),
    ];
}
