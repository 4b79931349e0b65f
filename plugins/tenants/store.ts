import { Collection } from '../../src/redis/collection.ts';
import { createRecords } from '../../src/redis/create-records.ts';
import { PLATFORM, tenantKey } from '../../src/redis/keys.ts';

import type { Founding, Tenant } from './api.ts';
import type { Datastore } from '../../src/redis/datastore.ts';
import type { Vault } from '../../src/security/vault.ts';

/** A bar outlives every request that could still be on its way. */
const BAR_LIFETIME_MS = 24 * 3600 * 1000;
const SWEEP_BATCH = 100;

const claims = tenantKey(PLATFORM, 'domain-claims');
const tenants = tenantKey(PLATFORM, 'tenants');
const domainKey = (domain: string): string => tenantKey(PLATFORM, 'domain', domain);
const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

export interface Claim {
    tenantId: string;
    domain: string;
}

/** Tenants in their own slots, and the domains that lead to them in the platform's. */
export function createTenantStore(store: Datastore, vault: Vault) {
    const records = new Collection<Tenant>(store, vault, {
        name: 'info',
        single: true,
        fields: {
            name: 'text',
            domain: 'text',
            status: 'text',
            plan: 'text',
            limits: 'json',
            suspendedReason: 'text',
            epoch: 'time',
            deletedAt: 'time',
        },
        notFound: 'TENANT_NOT_FOUND',
    });
    const create = createRecords(store);
    const claim = store.script(lua('claim-domain'));
    const confirm = store.script(lua('confirm-claim'));
    const release = store.script(lua('release-claim'));
    const stale = store.script(lua('stale-claims'));
    const bar = store.script(lua('bar-tenant'));

    return {
        records,
        create: (tenant: Omit<Tenant, 'revision' | 'createdAt' | 'updatedAt'>, { drafts, outbox }: Founding) =>
            create(tenant.id, [records.draft(tenant.id, tenant), ...drafts], outbox),
        findByDomain: (domain: string) => store.redis.get(domainKey(domain)),
        claim: async ({ tenantId, domain }: Claim) =>
            (await claim([domainKey(domain), claims], [tenantId, domain])) === 1,
        confirm: ({ tenantId, domain }: Claim) => confirm([claims, tenants], [tenantId, domain]),
        release: ({ tenantId, domain }: Claim) => release([domainKey(domain), claims], [tenantId, domain]),
        /** Whether the tenant does not exist and now never will. */
        bar: async (tenantId: string) =>
            (await bar([records.key(tenantId, tenantId)], [tenantId, BAR_LIFETIME_MS])) === 1,
        staleClaims: async (ageMs: number): Promise<Claim[]> => {
            const found = (await stale([claims], [ageMs, SWEEP_BATCH])) as string[];
            return found.map((member) => {
                const [tenantId = '', domain = ''] = member.split(' ');
                return { tenantId, domain };
            });
        },
    };
}

export type TenantStore = ReturnType<typeof createTenantStore>;
