import { facetOf } from './keeper.ts';
import { orNull } from '../../src/http/errors.ts';
import { foldTerm } from '../../src/redis/search-terms.ts';

import type { Directory, DirectoryQuery, FoundUser } from './api.ts';
import type { DirectoryStore, Index, Place } from './store.ts';
import type { Tenant, TenantService } from '../tenants/api.ts';
import type { UserService } from '../users/api.ts';

export interface DirectoryParts {
    store: DirectoryStore;
    tenants: Pick<TenantService, 'get'>;
    users: Pick<UserService, 'find' | 'publish'>;
}

/** Finds places in the directory, and reads what is there now: one script, and a read for each record. */
export function createSearch({ store, tenants, users }: DirectoryParts): Pick<Directory, 'tenants' | 'users'> {
    const places = (index: Index, facet: string, query: DirectoryQuery) =>
        query.q === undefined ? store.list(index, facet, query) : store.search(index, facet, foldTerm(query.q), query);
    const tenantOf = ({ tenantId }: Place) => orNull(tenants.get(tenantId), 'TENANT_NOT_FOUND');

    return {
        async tenants(query) {
            const { items, pagination } = await places('tenants', facetOf(query), query);
            const found = await Promise.all(items.map(tenantOf));
            // One that has changed since it was indexed is not shown as what it is no more.
            const fits = ({ status, plan }: Tenant) =>
                (query.status ?? status) === status && (query.plan ?? plan) === plan;
            return { items: found.filter((tenant) => tenant !== null).filter(fits), pagination };
        },

        async users(query) {
            const { items, pagination } = await places('users', 'all', query);
            const read = async (place: Place): Promise<FoundUser | null> => {
                const [user, tenant] = await Promise.all([users.find(place.tenantId, place.account), tenantOf(place)]);
                if (!user || !tenant) return null;
                return { ...users.publish(user), tenantId: tenant.id, tenantName: tenant.name };
            };
            const found = await Promise.all(items.map(read));
            return { items: found.filter((user) => user !== null), pagination };
        },
    };
}
