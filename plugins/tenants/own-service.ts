import { settingsOf, type TenantSettings } from './settings.ts';

import type { Tenant, TenantChanges } from './api.ts';
import type { TenantRules } from './service.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { ModelService } from '../models/api.ts';

/** What users see of their tenant. */
export interface OwnTenant extends Pick<
    Tenant,
    'id' | 'name' | 'domain' | 'plan' | 'status' | 'revision' | 'createdAt' | 'updatedAt'
> {
    settings: TenantSettings;
}

export type OwnTenantChanges = Pick<TenantChanges, 'name' | 'settings'>;

export type OwnTenantService = ReturnType<typeof createOwnTenantService>;

/** A tenant as its own users see it, and its admins change it. */
export function createOwnTenantService(
    tenants: Pick<TenantRules, 'get' | 'updateOwn'>,
    models: Pick<ModelService, 'find'>,
) {
    return {
        get: async ({ tenantId }: Actor): Promise<OwnTenant> => view(await tenants.get(tenantId)),

        /** @throws MODEL_NOT_FOUND, REVISION_MISMATCH */
        async update(actor: Actor, { name, settings }: OwnTenantChanges, revision?: number): Promise<OwnTenant> {
            const { fallbackModels, ...others } = settings ?? {};
            // By their ids, whatever they were called: each once.
            const found = fallbackModels?.map((model) => models.find(actor, model));
            const ids = found && [...new Set((await Promise.all(found)).map(({ id }) => id))];
            const changes = {
                ...(name !== undefined && { name }),
                ...(settings && { settings: { ...others, ...(ids && { fallbackModels: ids }) } }),
            };
            return view(await tenants.updateOwn(actor, changes, revision));
        },
    };
}

const view = ({ id, name, domain, plan, status, settings, revision, createdAt, updatedAt }: Tenant): OwnTenant => ({
    id,
    name,
    domain,
    plan,
    status,
    settings: settingsOf(settings),
    revision,
    createdAt,
    updatedAt,
});
