import type { Tenant } from '../tenants/api.ts';
import type { PublicUser } from '../users/api.ts';

export interface DirectoryQuery {
    /** The beginning of a term. */
    q?: string | undefined;
    limit: number;
    cursor?: string | undefined;
    /** Of the creation; what is searched for is in alphabetical order. */
    direction: 'asc' | 'desc';
}

export interface TenantQuery extends DirectoryQuery {
    status?: Tenant['status'] | undefined;
    plan?: Tenant['plan'] | undefined;
}

/** A page of records as they are now; what a search finds is not counted. */
export interface DirectoryPage<T> {
    items: T[];
    pagination: { cursor: string | null; limit: number; hasMore: boolean; totalCount?: number };
}

/** A user of any tenant. */
export interface FoundUser extends PublicUser {
    tenantId: string;
    tenantName: string;
}

/** The port of the directory: tenants and users of all tenants. What has changed is found about a second later. */
export interface Directory {
    /** By creation, or by a word of the name or the domain. @throws INVALID_CURSOR */
    tenants(query: TenantQuery): Promise<DirectoryPage<Tenant>>;
    /** By creation, or by the e-mail or a word of the name. The platform's own are not in it. @throws INVALID_CURSOR */
    users(query: DirectoryQuery): Promise<DirectoryPage<FoundUser>>;
    /** Begins to follow changes: workers do, when the server has started. */
    start(): void;
    /** Looks after the next tenants of the round through all of them. */
    keep(): Promise<void>;
}

declare module '@hapi/hapi' {
    interface PluginProperties {
        directory: Directory;
    }
}
