import { apiError, type ErrorCode } from '../../src/http/errors.ts';
import { scanKeys } from '../../src/redis/client.ts';
import { RecordCodec, type Fields } from '../../src/redis/codec.ts';
import { Collection, type Page, type PageQuery } from '../../src/redis/collection.ts';
import { createRecords } from '../../src/redis/create-records.ts';
import { openCursor, sealCursor } from '../../src/redis/cursor.ts';
import { PLATFORM, tenantKey } from '../../src/redis/keys.ts';
import { outboxKeys, outboxLists, type Outbox } from '../../src/redis/outbox.ts';
import { refuseWhileRestoring } from '../../src/redis/restoring.ts';
import { RESTORABLE_MS, timeUntilPurge } from '../../src/redis/soft-delete.ts';

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

const FIELDS: Fields<Tenant> = {
    name: 'text',
    domain: 'text',
    status: 'text',
    plan: 'text',
    limits: 'json',
    settings: 'json',
    suspendedReason: 'text',
    epoch: 'time',
    deletedAt: 'time',
};

export interface Claim {
    tenantId: string;
    domain: string;
    /** By Redis' clock; one that was made again has another. */
    at: number;
}

export interface TenantChange {
    kind: 'suspend' | 'activate' | 'delete' | 'restore';
    reason?: string;
    outbox: Outbox;
}

export interface TenantUpdate {
    changes: Partial<Pick<Tenant, 'name' | 'plan' | 'domain' | 'limits' | 'settings'>>;
    revision: number;
    /** When it comes too late, because the claim of its domain is then taken for one left behind. */
    before?: number;
    outbox: Outbox;
}

/** What the codes of a change stand for. */
const REFUSALS: Record<number, ErrorCode> = {
    0: 'TENANT_NOT_FOUND',
    [-1]: 'ALREADY_DELETED',
    [-2]: 'NOT_RESTORABLE',
    [-3]: 'REVISION_MISMATCH',
    [-4]: 'SERVER_BUSY',
};
/** How many keys a step of a purge looks at. */
const PURGE_BATCH = 500;

/** Tenants in their own slots, and the domains that lead to them in the platform's. */
export function createTenantStore(store: Datastore, vault: Vault) {
    const records = new Collection<Tenant>(store, vault, {
        name: 'info',
        single: true,
        fields: FIELDS,
        notFound: 'TENANT_NOT_FOUND',
    });
    const create = createRecords(store);
    const claim = store.script(lua('claim-domain'));
    const confirm = store.script(lua('confirm-claim'));
    const release = store.script(lua('release-claim'));
    const stale = store.script(lua('stale-claims'));
    const bar = store.script(lua('bar-tenant'));

    const untilPurge = timeUntilPurge(store);

    return {
        records,
        /** @throws TENANT_NOT_FOUND */
        get: async (tenantId: string): Promise<Tenant> => {
            const tenant = await records.find({ tenantId }, tenantId);
            // A barred place has no revision.
            if (!tenant?.revision) throw apiError('TENANT_NOT_FOUND');
            return tenant;
        },
        checkRestoring: (tenantId: string) => refuseWhileRestoring(store.redis, tenantId),
        /** Null when there is no such tenant. */
        domainOf: async (tenantId: string) => (await records.find({ tenantId }, tenantId))?.domain ?? null,
        ...createTenantChanges(store, vault, records),
        timeUntilPurge: (tenantId: string) => untilPurge(records.key(tenantId, tenantId)),
        create: (tenant: Omit<Tenant, 'revision' | 'createdAt' | 'updatedAt'>, { drafts, outbox }: Founding) =>
            create(tenant.id, [records.draft(tenant.id, tenant), ...drafts], outbox),
        findByDomain: (domain: string) => store.redis.get(domainKey(domain)),
        /** Null when the domain is taken. `former` is what the tenant has it in the place of. */
        claim: async (tenantId: string, domain: string, former = ''): Promise<Claim | null> => {
            const at = Number(await claim([domainKey(domain), claims], [tenantId, domain, former]));
            return at === 0 ? null : { tenantId, domain, at };
        },
        confirm: ({ tenantId, domain, at }: Claim) => confirm([claims, tenants], [tenantId, domain, at]),
        release: ({ tenantId, domain, at }: Claim) => release([domainKey(domain), claims], [tenantId, domain, at]),
        /** Whether the tenant does not exist and now never will. */
        bar: async (tenantId: string) =>
            (await bar([records.key(tenantId, tenantId)], [tenantId, BAR_LIFETIME_MS])) === 1,
        /** Whether the tenant is there, and its creation did not come to its end. */
        isNew: async (tenantId: string) =>
            tenantId !== PLATFORM &&
            (await store.redis.zscore(tenants, tenantId)) === null &&
            Boolean((await records.find({ tenantId }, tenantId))?.revision),
        staleClaims: async (ageMs: number): Promise<Claim[]> => {
            const found = (await stale([claims], [ageMs, SWEEP_BATCH])) as string[];
            return Array.from({ length: found.length / 2 }, (_, n) => {
                const [tenantId = '', domain = ''] = found[2 * n]?.split(' ') ?? [];
                return { tenantId, domain, at: Number(found[2 * n + 1]) };
            });
        },
    };
}

/** What platform admins see and do, and the steps of a purge. */
function createTenantChanges(store: Datastore, vault: Vault, records: Collection<Tenant>) {
    const { redis } = store;
    const change = store.script(lua('change-tenant'));
    const list = store.script(lua('list-tenants'));
    const forget = store.script(lua('forget-tenant'));
    const codec = new RecordCodec<Tenant>(FIELDS);

    const run = async (id: string, outbox: Outbox, details: object): Promise<Tenant> => {
        const body = JSON.stringify({ id, ...details, lifetime: RESTORABLE_MS, ...outboxLists(outbox) });
        const reply = await change([records.key(id, id), ...outboxKeys(id)], [body]);
        const [code, tenant = []] = reply as [number, string[]?];
        if (code !== 1) throw apiError(REFUSALS[code] ?? 'TENANT_NOT_FOUND', code === -4 ? { retryAfter: 1 } : {});
        return records.decode(tenant);
    };

    return {
        /** @throws TENANT_NOT_FOUND, ALREADY_DELETED, NOT_RESTORABLE */
        change: (id: string, { outbox, ...rest }: TenantChange): Promise<Tenant> => run(id, outbox, rest),

        /** @throws TENANT_NOT_FOUND, ALREADY_DELETED, REVISION_MISMATCH, SERVER_BUSY */
        update: (id: string, { changes, revision, outbox, ...rest }: TenantUpdate): Promise<Tenant> =>
            run(id, outbox, { kind: 'update', revision: String(revision), ...codec.encode(changes), ...rest }),

        /** @throws INVALID_CURSOR */
        async list({ direction, limit, cursor }: Omit<PageQuery, 'order'>): Promise<Page<Tenant>> {
            const name = `${tenants}:${direction}`;
            const from = cursor === undefined ? { score: '', id: '' } : openCursor(vault, name, cursor);
            const reply = await list([tenants], [direction, limit, from.score, from.id, PLATFORM]);
            const [totalCount, more, score, ...ids] = reply as [number, number, string, ...string[]];
            const found = await Promise.all(ids.map((id) => records.find({ tenantId: id }, id)));
            const next = more === 1 ? sealCursor(vault, name, { score, id: ids.at(-1) ?? '' }) : null;
            return {
                items: found.filter((tenant) => tenant !== null),
                pagination: { cursor: next, limit, hasMore: next !== null, totalCount },
            };
        },

        /** Removes every key of a tenant, some at a time; its record goes last: while it is there, there is work left. */
        async removeKeys(tenantId: string): Promise<void> {
            const kept = new Set([records.key(tenantId, tenantId)]);
            for await (const keys of scanKeys(redis, tenantKey(tenantId, '*'), PURGE_BATCH)) {
                const gone = keys.filter((key) => !kept.has(key));
                if (gone.length > 0) await redis.unlink(gone);
            }
        },

        removeRecord: (tenantId: string) => redis.unlink(records.key(tenantId, tenantId)),

        forget: (id: string, domain: string, outbox: Outbox) =>
            forget(
                [domainKey(domain), tenants, ...outboxKeys(PLATFORM)],
                [JSON.stringify({ id, ...outboxLists(outbox) })],
            ),
    };
}

export type TenantStore = ReturnType<typeof createTenantStore>;
