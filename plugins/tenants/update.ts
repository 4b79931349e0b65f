import { settingsOf } from './settings.ts';
import { apiError, isApiError } from '../../src/http/errors.ts';
import { audited, type AuditEntry, type Outbox } from '../../src/redis/outbox.ts';
import { inPlatformAudit } from '../../src/redis/platform-audit.ts';

import type { LimitChanges, Tenant, TenantChanges } from './api.ts';
import type { TenantParts } from './parts.ts';
import type { Claim, TenantStore, TenantUpdate } from './store.ts';
import type { LimitOverrides } from './tiers.ts';
import type { Actor } from '../../src/types/actor.ts';

/** A registration or a change has ended, well or badly, long before that. */
export const CLAIM_LIFETIME_MS = 60_000;
/** A change that comes later than that after its claim is refused: the claim may soon be taken for one left behind. */
const CHANGE_IN_TIME_MS = 30_000;
/** How often a change is done again that met another one. */
const MOST_TRIES = 10;

/** Changes a tenant's name, plan, domain, own figures or settings. */
export async function updateTenant(
    { store, append }: TenantParts,
    actor: Actor,
    id: string,
    changes: TenantChanges,
    revision?: number,
): Promise<Tenant> {
    await store.get(id);
    return inPlatformAudit(append, actor, { id, ...deedOf(changes) }, (audit) =>
        change(store, id, changes, audit, revision),
    );
}

/** The same by an admin of the tenant: told in its own audit alone. */
export function updateOwnTenant(
    { store }: TenantParts,
    actor: Actor,
    changes: TenantChanges,
    revision?: number,
): Promise<Tenant> {
    const { tenantId: id } = actor;
    const entry = { ...deedOf(changes), resource: 'tenant', resourceId: id, result: 'success' };
    return change(store, id, changes, audited(actor, entry), revision);
}

const deedOf = (changes: TenantChanges) => ({ action: 'tenant.update', details: { fields: Object.keys(changes) } });

async function change(
    store: TenantStore,
    id: string,
    changes: TenantChanges,
    audit: AuditEntry,
    revision?: number,
): Promise<Tenant> {
    const outbox: Outbox = { events: [{ type: 'tenant.updated', data: { tenantId: id } }], audit: [audit] };
    for (let tries = 1; ; tries++) {
        const before = await store.get(id);
        if (before.deletedAt !== null) throw apiError('ALREADY_DELETED');
        if (revision !== undefined && revision !== before.revision) throw apiError('REVISION_MISMATCH');
        try {
            return await update(store, before, changes, outbox);
        } catch (error) {
            const isOvertaken = isApiError(error) && error.data?.code === 'REVISION_MISMATCH';
            if (!isOvertaken || revision !== undefined || tries === MOST_TRIES) throw error;
        }
    }
}

async function update(
    store: TenantStore,
    { id, revision, domain: former, limits: figures, settings: choices }: Tenant,
    { domain = former, limits, settings, ...rest }: TenantChanges,
    outbox: TenantUpdate['outbox'],
): Promise<Tenant> {
    const changes = {
        ...rest,
        ...(limits !== undefined && { limits: merged(figures, limits) }),
        ...(settings && { settings: { ...settingsOf(choices), ...settings } }),
    };
    if (domain === former) return store.update(id, { changes, revision, outbox });

    const claim = await store.claim(id, domain, former);
    if (!claim) throw apiError('DOMAIN_TAKEN');
    try {
        const before = claim.at + CHANGE_IN_TIME_MS;
        const tenant = await store.update(id, { changes: { ...changes, domain }, revision, before, outbox });
        await settle(store, { ...claim, domain: former });
        await settle(store, claim);
        return tenant;
    } catch (error) {
        // Without an answer it may still happen, in time: the sweeper comes after that. What another change claimed as
        // the former domain is for that one, or for the sweeper.
        if (isApiError(error)) await settle(store, claim);
        throw error;
    }
}

/** Brings a domain in line with the tenant's record, which decides: the tenant has it, or it is free again. */
export async function settle(store: TenantStore, claim: Claim): Promise<void> {
    const domain = await store.domainOf(claim.tenantId);
    // Barred first: a creation that was only slow comes too late then.
    const isOther = domain === null ? await store.bar(claim.tenantId) : domain !== claim.domain;
    if (isOther) await store.release(claim);
    else await store.confirm(claim);
}

/** The figures with some set and some, those that are null, taken away. */
function merged(figures: LimitOverrides | null, changes: LimitChanges | null): LimitOverrides | null {
    if (changes === null) return null;
    const all = { ...figures, ...changes };
    const kept = Object.entries(all).filter(([name]) => !(name in changes) || all[name as keyof typeof all] !== null);
    return kept.length === 0 ? null : Object.fromEntries(kept);
}
