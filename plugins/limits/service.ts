import { apiError } from '../../src/http/errors.ts';
import { newId } from '../../src/ids.ts';
import { PLATFORM } from '../../src/redis/keys.ts';
import { audited } from '../../src/redis/outbox.ts';
import { limitsOf, tiers, type TenantService } from '../tenants/api.ts';

import type { LimitService, Slot } from './api.ts';
import type { LimitStore } from './store.ts';
import type { AppendOutbox } from '../../src/redis/append-outbox.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { Actor } from '../../src/types/actor.ts';

/** When a generation may have ended: it is not known better. */
const RETRY_AFTER_SECONDS = 5;

/** A slot is free that long after its process was killed; a living one renews it in time. */
const LEASE = { leaseMs: 30_000, renewEveryMs: 10_000 };

export interface LimitParts {
    store: LimitStore;
    tenants: TenantService;
    append: AppendOutbox;
    logger: Logger;
    lease?: typeof LEASE;
}

export type LimitRules = ReturnType<typeof createLimitService>;

/** Slots for generations, and what is used of the limits. */
export function createLimitService(parts: LimitParts) {
    const { store, tenants, append } = parts;

    return {
        takeSlot: (actor: Actor): Promise<Slot> => takeSlot(parts, actor),

        /** The table of tiers, and where the user stands in it. */
        async tiers(actor: Actor) {
            const { plan, overrides } = await store.usage(actor);
            const table = Object.entries(tiers).map(([name, limits]) => ({ name, limits }));
            return { tiers: table, own: { tier: actor.tier, plan, limits: limitsOf(actor.tier, overrides) } };
        },

        async usage(actor: Actor) {
            const { requests, running, plan, overrides, resetsAt } = await store.usage(actor);
            const limits = limitsOf(actor.tier, overrides);
            return {
                usage: {
                    requestsThisMonth: { used: requests, limit: limitsOf(plan, overrides).requestsPerMonth, resetsAt },
                    generations: { running, limit: limits.concurrentGenerations },
                    tier: actor.tier,
                    limits,
                },
            };
        },

        /** Told in the audit of the tenant and of the platform. @throws TENANT_NOT_FOUND */
        async violations(actor: Actor, tenantId: string) {
            await tenants.get(tenantId);
            const { days, recent } = await store.violations(tenantId);
            const entry = { action: 'limit.read', resource: 'tenant', resourceId: tenantId, result: 'success' };
            for (const told of new Set([tenantId, PLATFORM])) await append(told, { audit: [audited(actor, entry)] });
            return { violations: { tenantId, days, recent } };
        },
    } satisfies LimitService & Record<string, unknown>;
}

async function takeSlot({ store, logger, lease = LEASE }: LimitParts, actor: Actor): Promise<Slot> {
    const id = newId('slot');
    const most = limitsOf(actor.tier, null).concurrentGenerations;
    const { isTaken, limit } = await store.takeSlot(actor, id, most, lease.leaseMs, actor.keyId);
    if (!isTaken) throw apiError('CONCURRENCY_LIMIT', { details: { limit }, retryAfter: RETRY_AFTER_SECONDS });

    const place = { tenantId: actor.tenantId, userId: actor.userId };
    const warn = (error: unknown) => logger.warn({ module: 'limits', err: error, ...place }, 'A slot was not kept up');
    const timer = setInterval(() => {
        store.renewSlot(place, id, lease.leaseMs).catch(warn);
    }, lease.renewEveryMs).unref();
    return {
        release: async () => {
            clearInterval(timer);
            await store.releaseSlot(place, id).catch(warn);
        },
    };
}
