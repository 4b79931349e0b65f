import { apiError } from '../../src/http/errors.ts';
import { newId } from '../../src/ids.ts';
import { RecordExistsError } from '../../src/redis/create-records.ts';
import { PLATFORM } from '../../src/redis/keys.ts';
import { audited } from '../../src/redis/outbox.ts';

import type { Tenant, TenantService } from './api.ts';
import type { TenantStore } from './store.ts';
import type { AppendOutbox } from '../../src/redis/append-outbox.ts';
import type { Actor } from '../../src/types/actor.ts';

/** A registration has ended, well or badly, long before that. */
const CLAIM_LIFETIME_MS = 60_000;

export interface TenantParts {
    store: TenantStore;
    append: AppendOutbox;
}

export interface TenantRules extends TenantService {
    /** Settles the claims of registrations that died halfway. */
    sweepClaims(): Promise<void>;
}

export function createTenantService(parts: TenantParts): TenantRules {
    const { store } = parts;

    return {
        async create(details, found) {
            const claim = { tenantId: newId('tenant'), domain: details.domain };
            if (!(await store.claim(claim))) throw apiError('DOMAIN_TAKEN');
            try {
                const founding = await found(claim.tenantId);
                await store.create(newTenant(claim.tenantId, details), founding);
            } catch (error) {
                // Barred first: a creation whose answer was lost may have happened all the same.
                if (await store.bar(claim.tenantId)) await store.release(claim);
                throw error;
            }
            await store.confirm(claim);
            return this.get(claim.tenantId);
        },

        async createPlatform(domain, founding) {
            const claim = { tenantId: PLATFORM, domain };
            await store.claim(claim);
            const platform = { name: 'Platform', domain, plan: 'enterprise' } as const;
            const isOurs = await store.create(newTenant(PLATFORM, platform), founding).then(
                () => true,
                (error: unknown) => {
                    if (error instanceof RecordExistsError) return false;
                    throw error;
                },
            );
            await store.confirm(claim);
            return isOurs;
        },

        get: (tenantId) => store.records.get({ tenantId }, tenantId),
        exists: async (tenantId) => (await store.records.find({ tenantId }, tenantId)) !== null,
        findByDomain: (domain) => store.findByDomain(domain),
        key: (tenantId) => store.records.key(tenantId, tenantId),
        decode: (flat) => store.records.decode(flat),

        suspend: (actor, id, reason) => setStatus(parts, actor, id, { status: 'suspended', suspendedReason: reason }),
        activate: (actor, id) => setStatus(parts, actor, id, { status: 'active', suspendedReason: null }),

        async sweepClaims() {
            for (const claim of await store.staleClaims(CLAIM_LIFETIME_MS)) {
                if (await store.bar(claim.tenantId)) await store.release(claim);
                else await store.confirm(claim);
            }
        },
    };
}

const newTenant = (id: string, details: Pick<Tenant, 'name' | 'domain' | 'plan'>) => ({
    id,
    ...details,
    status: 'active' as const,
    limits: null,
    suspendedReason: null,
    epoch: null,
    deletedAt: null,
});

/** Changes a tenant's standing; told in its own audit and in the platform's. */
async function setStatus(
    { store, append }: TenantParts,
    actor: Actor,
    id: string,
    changes: Pick<Tenant, 'status' | 'suspendedReason'>,
): Promise<Tenant> {
    const { status, suspendedReason: reason } = changes;
    const isActive = status === 'active';
    const action = isActive ? 'tenant.activate' : 'tenant.suspend';
    const type = isActive ? 'tenant.activated' : 'tenant.suspended';
    const entry = { action, resource: 'tenant', resourceId: id, result: 'success', details: { reason } };
    const audit = [audited(actor, entry)];
    const outbox = { events: [{ type, data: { tenantId: id, status } }], audit };
    const tenant = await store.records.update({ tenantId: id }, id, changes, { outbox });
    await append(PLATFORM, { audit });
    return tenant;
}
