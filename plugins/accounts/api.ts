import type { AccountListQuery, AccountParams } from './schemas.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { DirectoryPage, FoundUser } from '../directory/api.ts';
import type { PublicUser } from '../users/api.ts';

/** What is changed of an account, why, and of which revision. */
export interface AccountChange {
    reason?: string | undefined;
    revision?: number | undefined;
}

/** The port of the accounts feature, for its jobs and for commands; all of it is told in the audit. */
export interface AccountFeature {
    /** Of all tenants, or of one. @throws TENANT_NOT_FOUND, INVALID_CURSOR */
    list(actor: Actor, query: AccountListQuery): Promise<DirectoryPage<FoundUser>>;
    /** @throws TENANT_NOT_FOUND, USER_NOT_FOUND, LAST_ADMIN, ALREADY_DELETED, TENANT_RESTORING */
    suspend(actor: Actor, place: AccountParams, change: AccountChange): Promise<PublicUser>;
    /** @throws TENANT_NOT_FOUND, USER_NOT_FOUND, ALREADY_DELETED, TENANT_RESTORING */
    activate(actor: Actor, place: AccountParams): Promise<PublicUser>;
    /**
     * Does a bulk change that was asked for at that time (ms), from where it was left.
     *
     * @throws PutOff While the process stops, or the bulk change is not there yet
     */
    runBulk(bulkId: string, askedAt: number): Promise<void>;
}

declare module '@hapi/hapi' {
    interface PluginProperties {
        accounts: AccountFeature;
    }
}
