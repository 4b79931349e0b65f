import type { TenantSettings } from './settings.ts';
import type { LimitChanges, LimitOverrides, Plan, Tiers } from './tiers.ts';
import type { BackedUp } from '../../src/redis/aggregate.ts';
import type { RecordBase } from '../../src/redis/codec.ts';
import type { Page, PageQuery } from '../../src/redis/collection.ts';
import type { Draft } from '../../src/redis/create-records.ts';
import type { Outbox } from '../../src/redis/outbox.ts';
import type { Actor } from '../../src/types/actor.ts';

export {
    limitChangesSchema,
    limitOverridesSchema,
    tenantExample,
    tenantSchema,
    tierChangesSchema,
    tierLimitsSchema,
} from './schemas.ts';
export { settingsOf, type TenantSettings } from './settings.ts';
export {
    defaultTiers,
    tiersWith,
    type LimitChanges,
    type LimitOverrides,
    type Plan,
    type TierFigures,
    type TierLimits,
    type Tiers,
    type TierTable,
} from './tiers.ts';

/** A tenant; all its records live under its id. */
export interface Tenant extends RecordBase {
    name: string;
    /** The e-mail domain that leads its users here at login. */
    domain: string;
    status: 'active' | 'suspended' | 'deleted';
    plan: Plan;
    /** Figures that go before those of the tiers. */
    limits: LimitOverrides | null;
    /** What its admin has set for its users; null where nothing was set, as `settingsOf` reads it. */
    settings: TenantSettings | null;
    suspendedReason: string | null;
    /** Sessions that began before are over. */
    epoch: string | null;
    deletedAt: string | null;
}

/** What may change of a tenant. */
export interface TenantChanges {
    name?: string;
    plan?: Plan;
    domain?: string;
    /** Null takes all of the tenant's own figures away. */
    limits?: LimitChanges | null;
    /** Those that are named. */
    settings?: Partial<TenantSettings>;
}

/** What is created together with a tenant, in the same script. */
export interface Founding {
    drafts: Draft[];
    outbox: Outbox;
}

/** Does something for a tenant that has just been created. It may be called again, after it was interrupted. */
export type FoundingStep = (tenantId: string) => Promise<void>;

/** Removes what a feature keeps of a tenant elsewhere. It may be called again after it was interrupted. */
export type TenantPurgeStep = (tenantId: string) => Promise<void>;

/** The port of the tenants feature. */
export interface TenantService {
    /** What each tier allows, as the platform's configuration has it. */
    readonly tiers: Tiers;
    /**
     * Creates a tenant and what belongs to it: all or nothing, once per domain. `found` is asked for the rest when the
     * domain is ours.
     *
     * @throws DOMAIN_TAKEN
     */
    create(
        details: Pick<Tenant, 'name' | 'domain' | 'plan'>,
        found: (tenantId: string) => Promise<Founding>,
    ): Promise<Tenant>;
    /**
     * Has a feature do something for each new tenant, before `create` is over; if the process dies first, a sweeper
     * does it. Not for the platform's own.
     */
    onFound(step: FoundingStep): void;
    /** Creates the platform's own tenant unless it exists; whether this call was the one. */
    createPlatform(domain: string, founding: Founding): Promise<boolean>;
    /** @throws TENANT_NOT_FOUND */
    get(tenantId: string): Promise<Tenant>;
    exists(tenantId: string): Promise<boolean>;
    /** The tenant that a domain belongs to. */
    findByDomain(domain: string): Promise<string | null>;
    /**
     * Changes a tenant from its next request on; login goes by its new domain then, and the old one is free.
     *
     * @throws TENANT_NOT_FOUND, ALREADY_DELETED, REVISION_MISMATCH, DOMAIN_TAKEN, SERVER_BUSY
     */
    update(actor: Actor, tenantId: string, changes: TenantChanges, revision?: number): Promise<Tenant>;
    /** From now on every request of the tenant's users is refused. @throws TENANT_NOT_FOUND, ALREADY_DELETED */
    suspend(actor: Actor, tenantId: string, reason: string): Promise<Tenant>;
    /** @throws TENANT_NOT_FOUND, ALREADY_DELETED */
    activate(actor: Actor, tenantId: string): Promise<Tenant>;
    /**
     * Deletes a tenant softly: every request of its users is refused as with a suspended one, all sessions are over,
     * and in 30 days everything of it is purged.
     *
     * @throws TENANT_NOT_FOUND, ALREADY_DELETED
     */
    remove(actor: Actor, tenantId: string): Promise<Tenant>;
    /** As it was before; its users have to log in again. @throws TENANT_NOT_FOUND, NOT_RESTORABLE */
    restore(actor: Actor, tenantId: string): Promise<Tenant>;
    /** All tenants but the platform's own, by creation. @throws INVALID_CURSOR */
    list(query: Omit<PageQuery, 'order'>): Promise<Page<Tenant>>;
    /** Has a feature remove what it keeps of a tenant that is purged outside of its keys, before these go. */
    onPurge(step: TenantPurgeStep): void;
    /** Removes everything of a tenant whose time to be restored is over; sees to it later when it is not. */
    purge(tenantId: string): Promise<void>;
    /** @throws TENANT_RESTORING while the tenant is being restored */
    checkRestoring(tenantId: string): Promise<void>;
    /** Where a tenant's record lives, for scripts that look at its standing. */
    key(tenantId: string): string;
    /** Reads what such a script returned. */
    decode(flat: string[]): Tenant;
}

declare module '@hapi/hapi' {
    interface PluginProperties {
        tenants: TenantService & BackedUp;
    }
}
