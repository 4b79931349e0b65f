import type { TenantStore } from './store.ts';
import type { Tiers } from './tiers.ts';
import type { Clock } from '../../src/clock.ts';
import type { Jobs } from '../../src/jobs/jobs.ts';
import type { AppendOutbox } from '../../src/redis/append-outbox.ts';

/** What the rules of tenants stand on. */
export interface TenantParts {
    store: TenantStore;
    append: AppendOutbox;
    jobs: Jobs;
    clock: Clock;
    tiers: Tiers;
}
