import { SlotQueue } from './slot-queue.ts';
import { violationKinds } from './violation-kinds.ts';
import { apiError } from '../../src/http/errors.ts';
import { newId } from '../../src/ids.ts';
import { PLATFORM } from '../../src/redis/keys.ts';
import { tellLook } from '../../src/redis/platform-audit.ts';

import type { LimitService, Slot } from './api.ts';
import type { LimitStore } from './store.ts';
import type { Drain } from '../../src/drain.ts';
import type { AppendOutbox } from '../../src/redis/append-outbox.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { Level } from '../../src/telemetry/metrics.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { ReportFeature } from '../reports/api.ts';
import type { TenantService } from '../tenants/api.ts';

/** When a generation may have ended: it is not known better. */
const RETRY_AFTER_SECONDS = 5;

/** A slot is free that long after its process was killed; a living one renews it in time. */
const LEASE = { leaseMs: 30_000, renewEveryMs: 10_000 };

export interface LimitParts {
    store: LimitStore;
    tenants: TenantService;
    append: AppendOutbox;
    logger: Logger;
    /** How long a call may wait for a slot. */
    queueMs: number;
    drain: Pick<Drain, 'isDraining'>;
    /** Of all tenants, by the newest days. */
    allViolations: ReportFeature['violations'];
    /** Generations of this process. */
    running: Level;
    lease?: typeof LEASE;
}

/** As long as a tenant's own are kept. */
const DAYS_SHOWN = 31;
const NO_VIOLATIONS = Object.fromEntries(violationKinds.map((kind) => [kind, 0]));

export type LimitRules = ReturnType<typeof createLimitService>;

/** Slots for generations, and what is used of the limits. */
export function createLimitService(parts: LimitParts) {
    const { store, tenants, append } = parts;
    const { tiers } = tenants;
    const queue = new SlotQueue(parts.queueMs);

    return {
        takeSlot: (actor: Actor, isWanted?: () => boolean): Promise<Slot> => takeSlot(parts, queue, actor, isWanted),

        /** The table of tiers, and where the user stands in it. */
        async tiers(actor: Actor) {
            const { plan, overrides } = await store.usage(actor);
            const table = Object.entries(tiers.table()).map(([name, limits]) => ({ name, limits }));
            return { tiers: table, own: { tier: actor.tier, plan, limits: tiers.limitsOf(actor.tier, overrides) } };
        },

        async usage(actor: Actor) {
            const { requests, running, relayedBytes, plan, overrides, resetsAt } = await store.usage(actor);
            const limits = tiers.limitsOf(actor.tier, overrides);
            const ofTenant = tiers.limitsOf(plan, overrides);
            return {
                usage: {
                    requestsThisMonth: { used: requests, limit: ofTenant.requestsPerMonth, resetsAt },
                    relayedBytesThisMonth: { used: relayedBytes, limit: ofTenant.relayedBytesPerMonth, resetsAt },
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
            await tellLook(append, actor, { id: tenantId, action: 'limit.read' }, tenantId);
            return { tenantId, days, recent };
        },

        /** Told in the audit of the platform. */
        async allViolations(actor: Actor) {
            const { days, tenants: most } = await parts.allViolations(DAYS_SHOWN);
            await tellLook(append, actor, { id: PLATFORM, action: 'limit.read' });
            const whole = days.map(({ date, counts }) => ({ date, counts: { ...NO_VIOLATIONS, ...counts } }));
            return { tenantId: null, days: whole, tenants: most };
        },
    } satisfies LimitService & Record<string, unknown>;
}

async function takeSlot(
    { store, tenants, logger, drain, running, lease = LEASE }: LimitParts,
    queue: SlotQueue,
    actor: Actor,
    isWanted = () => true,
): Promise<Slot> {
    const id = newId('slot');
    const { tenantId, userId, keyId } = actor;
    const place = { tenantId, userId };
    const most = tenants.tiers.limitsOf(actor.tier, null).concurrentGenerations;
    const slot = { id, most, leaseMs: lease.leaseMs };
    const { isTaken, limit } = await queue.take(`${tenantId} ${userId}`, {
        attempt: (isLast) => store.takeSlot({ ...place, ...(keyId !== undefined && { keyId }) }, { ...slot, isLast }),
        check: () => {
            if (drain.isDraining) throw apiError('SHUTTING_DOWN', { retryAfter: 1 });
            if (!isWanted()) throw apiError('CONCURRENCY_LIMIT', { retryAfter: RETRY_AFTER_SECONDS });
        },
    });
    if (!isTaken) throw apiError('CONCURRENCY_LIMIT', { details: { limit }, retryAfter: RETRY_AFTER_SECONDS });

    const warn = (error: unknown) => logger.warn({ module: 'limits', err: error, ...place }, 'A slot was not kept up');
    const timer = setInterval(() => {
        store.renewSlot(place, id, lease.leaseMs).catch(warn);
    }, lease.renewEveryMs).unref();
    running.up();
    let isOver = false;
    return {
        release: async () => {
            clearInterval(timer);
            if (!isOver) running.down();
            isOver = true;
            await store.releaseSlot(place, id).catch(warn);
        },
    };
}
