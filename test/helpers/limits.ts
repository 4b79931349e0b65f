import { tenantKey } from '../../src/redis/keys.ts';

import type { TestApp } from './app.ts';
import type { LimitOverrides, Plan } from '../../plugins/tenants/api.ts';

/** Changes a tenant's plan behind the program's back. */
export const setPlan = (app: TestApp, tenantId: string, plan: Plan) =>
    app.redis.hset(tenantKey(tenantId, 'info'), 'plan', plan);

/** Sets figures of a tenant's own, as a platform admin would. */
export const setLimits = (app: TestApp, tenantId: string, limits: LimitOverrides) =>
    app.redis.hset(tenantKey(tenantId, 'info'), 'limits', JSON.stringify(limits));
