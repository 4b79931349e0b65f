import { CLAIM_LIFETIME_MS, settle, updateOwnTenant, updateTenant } from './update.ts';
import { apiError } from '../../src/http/errors.ts';
import { newId } from '../../src/ids.ts';
import { RecordExistsError } from '../../src/redis/create-records.ts';
import { PLATFORM } from '../../src/redis/keys.ts';
import { inPlatformAudit } from '../../src/redis/platform-audit.ts';
import { RESTORABLE_MS } from '../../src/redis/soft-delete.ts';

import type { Founding, FoundingStep, Tenant, TenantChanges, TenantPurgeStep, TenantService } from './api.ts';
import type { TenantParts } from './parts.ts';
import type { Claim, TenantChange, TenantStore } from './store.ts';
import type { EventType } from '../../src/events/catalogue.ts';
import type { Outbox } from '../../src/redis/outbox.ts';
import type { Actor } from '../../src/types/actor.ts';

const DAY_MS = 24 * 3600 * 1000;
/** So that a purge is not asked for before its time by a clock that is a little ahead. */
const PURGE_MARGIN_MS = 60_000;

export const PURGE_TENANT = 'purge-tenant';

export interface TenantRules extends TenantService {
    /** Changes the tenant of that user. @throws REVISION_MISMATCH */
    updateOwn(actor: Actor, changes: Pick<TenantChanges, 'name' | 'settings'>, revision?: number): Promise<Tenant>;
    /** Settles the claims of registrations and of changes that died halfway. */
    sweepClaims(): Promise<void>;
}

export function createTenantService(parts: TenantParts): TenantRules {
    const { store } = parts;
    const foundingSteps: FoundingStep[] = [];
    const found = async (tenantId: string): Promise<void> => {
        for (const step of foundingSteps) await step(tenantId);
    };
    const purgeSteps: TenantPurgeStep[] = [];

    return {
        tiers: parts.tiers,

        async create(details, foundingOf) {
            const claim = await claimAndCreate(store, details, foundingOf);
            // Before: as long as the claim is not confirmed, the sweeper knows that there is work left.
            await found(claim.tenantId);
            await store.confirm(claim);
            return this.get(claim.tenantId);
        },

        onFound: (step) => void foundingSteps.push(step),

        async createPlatform(domain, founding) {
            const claim = await store.claim(PLATFORM, domain);
            const platform = { name: 'Platform', domain, plan: 'enterprise' } as const;
            const isOurs = await store.create(newTenant(PLATFORM, platform), founding).then(
                () => true,
                (error: unknown) => {
                    if (error instanceof RecordExistsError) return false;
                    throw error;
                },
            );
            if (claim) await store.confirm(claim);
            return isOurs;
        },

        get: (tenantId) => store.get(tenantId),
        checkRestoring: (tenantId) => store.checkRestoring(tenantId),
        exists: async (tenantId) => (await store.records.find({ tenantId }, tenantId)) !== null,
        findByDomain: (domain) => store.findByDomain(domain),
        key: (tenantId) => store.records.key(tenantId, tenantId),
        decode: (flat) => store.records.decode(flat),

        update: (actor, id, changes, revision) => updateTenant(parts, actor, id, changes, revision),
        updateOwn: (actor, changes, revision) => updateOwnTenant(parts, actor, changes, revision),
        suspend: (actor, id, reason) => change(parts, actor, id, 'suspend', reason),
        activate: (actor, id) => change(parts, actor, id, 'activate'),
        restore: (actor, id) => change(parts, actor, id, 'restore'),
        remove: (actor, id) => remove(parts, actor, id),
        list: (query) => store.list(query),
        onPurge: (step) => void purgeSteps.push(step),
        purge: (tenantId) => purge(parts, purgeSteps, tenantId),

        async sweepClaims() {
            for (const claim of await store.staleClaims(CLAIM_LIFETIME_MS)) {
                if (await store.isNew(claim.tenantId)) await found(claim.tenantId);
                await settle(store, claim);
            }
        },
    };
}

async function claimAndCreate(
    store: TenantStore,
    details: Pick<Tenant, 'name' | 'domain' | 'plan'>,
    foundingOf: (tenantId: string) => Promise<Founding>,
): Promise<Claim> {
    const claim = await store.claim(newId('tenant'), details.domain);
    if (!claim) throw apiError('DOMAIN_TAKEN');
    try {
        const founding = await foundingOf(claim.tenantId);
        await store.create(newTenant(claim.tenantId, details), founding);
    } catch (error) {
        // Barred first: a creation whose answer was lost may have happened all the same.
        if (await store.bar(claim.tenantId)) await store.release(claim);
        throw error;
    }
    return claim;
}

const newTenant = (id: string, details: Pick<Tenant, 'name' | 'domain' | 'plan'>) => ({
    id,
    ...details,
    status: 'active' as const,
    limits: null,
    settings: null,
    suspendedReason: null,
    epoch: null,
    deletedAt: null,
});

type Kind = TenantChange['kind'];

/** What each change is called when it has happened. */
const HAPPENED: Record<Kind, EventType> = {
    suspend: 'tenant.suspended',
    activate: 'tenant.activated',
    delete: 'tenant.deleted',
    restore: 'tenant.restored',
};

/** Changes a tenant's standing. */
async function change(
    { store, append }: TenantParts,
    actor: Actor,
    id: string,
    kind: Kind,
    reason?: string,
): Promise<Tenant> {
    const details = reason !== undefined && { details: { reason } };
    await store.get(id);
    return inPlatformAudit(append, actor, { id, action: `tenant.${kind}`, ...details }, (audit) => {
        const outbox = { events: [{ type: HAPPENED[kind], data: { tenantId: id } }], audit: [audit] };
        return store.change(id, { kind, ...(reason !== undefined && { reason }), outbox });
    });
}

async function remove(parts: TenantParts, actor: Actor, id: string): Promise<Tenant> {
    const { store, jobs, clock } = parts;
    const { revision } = await store.get(id);
    // Asked for first: if the process dies now, the job finds nothing to do. One a day is enough.
    const jobId = [PURGE_TENANT, id, revision, Math.floor(clock() / DAY_MS)].join('-');
    const { requestId } = actor;
    await jobs.add(PURGE_TENANT, { tenantId: id, requestId }, { delay: RESTORABLE_MS + PURGE_MARGIN_MS, id: jobId });
    return change(parts, actor, id, 'delete');
}

/** Removes a tenant whose time is over. Each step may be done again; the record, which goes last, says that it must. */
async function purge({ store, jobs }: TenantParts, steps: TenantPurgeStep[], tenantId: string): Promise<void> {
    const time = await store.timeUntilPurge(tenantId);
    if (!time) return;
    if (time.left > 0) {
        // Restored and deleted again since the job was added.
        const id = [PURGE_TENANT, tenantId, time.due, time.left].join('-');
        await jobs.add(PURGE_TENANT, { tenantId }, { delay: time.left + PURGE_MARGIN_MS, id });
        return;
    }
    const { domain } = await store.get(tenantId);
    for (const step of steps) await step(tenantId);
    await store.removeKeys(tenantId);
    const entry = { action: 'tenant.purge', resource: 'tenant', resourceId: tenantId, result: 'success' };
    const told: Outbox = { events: [{ type: 'tenant.purged', data: { tenantId } }], audit: [entry] };
    await store.forget(tenantId, domain, told);
    await store.removeRecord(tenantId);
    // Refused logins and looks of platform admins have told its audit until now.
    await store.removeKeys(tenantId);
}
