import { PLATFORM } from '../../src/redis/keys.ts';
import { inPlatformAudit, tellLook } from '../../src/redis/platform-audit.ts';

import type { AccountChange } from './api.ts';
import type { AccountListQuery, AccountParams } from './schemas.ts';
import type { AppendOutbox } from '../../src/redis/append-outbox.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { Directory, DirectoryPage, FoundUser } from '../directory/api.ts';
import type { Plan, TenantService } from '../tenants/api.ts';
import type { PublicUser, UserService } from '../users/api.ts';

export interface AccountParts {
    tenants: Pick<TenantService, 'get' | 'checkRestoring'>;
    users: Pick<UserService, 'get' | 'list' | 'change' | 'remove'>;
    directory: Pick<Directory, 'users'>;
    append: AppendOutbox;
}

/**
 * What platform admins do with the users of tenants, by the rules of these. It is told in the audit of the tenant and
 * of the platform. The platform's own users are none of them by a route: its superadmins have those for users.
 */
export class Accounts {
    readonly #parts: AccountParts;

    constructor(parts: AccountParts) {
        this.#parts = parts;
    }

    /** Of all tenants by the directory, of one by its own list. @throws TENANT_NOT_FOUND, INVALID_CURSOR */
    async list(
        actor: Actor,
        { tenantId, order: direction, ...rest }: AccountListQuery,
    ): Promise<DirectoryPage<FoundUser>> {
        const { directory, append } = this.#parts;
        const query = { ...rest, direction };
        const page = await (tenantId === undefined ? directory.users(query) : this.#ofTenant(tenantId, query));
        const look = { id: tenantId ?? PLATFORM, resource: 'user', action: 'user.list' };
        await tellLook(append, actor, look, tenantId);
        return page;
    }

    /** @throws TENANT_NOT_FOUND, USER_NOT_FOUND */
    async get(actor: Actor, { tenantId, userId }: AccountParams): Promise<PublicUser> {
        const { append } = this.#parts;
        const user = await this.#find({ tenantId, userId });
        const look = { id: userId, resource: 'user', action: 'user.read', details: { tenantId } };
        await tellLook(append, actor, look, tenantId);
        return user;
    }

    /** Every session is over. @throws TENANT_NOT_FOUND, USER_NOT_FOUND, LAST_ADMIN, ALREADY_DELETED, TENANT_RESTORING */
    suspend(actor: Actor, place: AccountParams, change: AccountChange): Promise<PublicUser> {
        return this.#change(actor, place, 'user.suspend', { isActive: false }, change);
    }

    /** @throws TENANT_NOT_FOUND, USER_NOT_FOUND, ALREADY_DELETED, TENANT_RESTORING */
    activate(actor: Actor, place: AccountParams, change: AccountChange = {}): Promise<PublicUser> {
        return this.#change(actor, place, 'user.activate', { isActive: true }, change);
    }

    /** @throws TENANT_NOT_FOUND, USER_NOT_FOUND, ALREADY_DELETED, REVISION_MISMATCH, TENANT_RESTORING */
    setTier(actor: Actor, place: AccountParams, tier: Plan | null, change: AccountChange = {}): Promise<PublicUser> {
        return this.#change(actor, place, 'user.update', { tier }, change);
    }

    /** @throws TENANT_NOT_FOUND, USER_NOT_FOUND, LAST_ADMIN, ALREADY_DELETED, TENANT_RESTORING */
    remove(actor: Actor, place: AccountParams, { reason, revision }: AccountChange): Promise<PublicUser> {
        const { users } = this.#parts;
        const { tenantId, userId } = place;
        return this.#tell(actor, place, { action: 'user.delete', reason }, () =>
            users.remove({ ...actor, tenantId }, userId, revision),
        );
    }

    #change(
        actor: Actor,
        place: AccountParams,
        action: string,
        changes: Parameters<UserService['change']>[2],
        { reason, revision }: AccountChange,
    ): Promise<PublicUser> {
        const { users } = this.#parts;
        const { tenantId, userId } = place;
        return this.#tell(actor, place, { action, reason }, () =>
            users.change({ ...actor, tenantId }, userId, changes, { reason, revision }),
        );
    }

    /** The tenant's own audit is told by what is done, in the same script. */
    async #tell(
        actor: Actor,
        { tenantId, userId }: AccountParams,
        { action, reason }: { action: string; reason: string | undefined },
        act: () => Promise<PublicUser>,
    ): Promise<PublicUser> {
        const { tenants, append } = this.#parts;
        await this.#find({ tenantId, userId });
        await tenants.checkRestoring(tenantId);
        const details = { tenantId, ...(reason !== undefined && { reason }) };
        return inPlatformAudit(append, actor, { id: userId, resource: 'user', action, details }, act);
    }

    async #find({ tenantId, userId }: AccountParams): Promise<PublicUser> {
        const { tenants, users } = this.#parts;
        await tenants.get(tenantId);
        return users.get(tenantId, userId);
    }

    async #ofTenant(tenantId: string, query: Parameters<UserService['list']>[1]): Promise<DirectoryPage<FoundUser>> {
        const { tenants, users } = this.#parts;
        const { name: tenantName } = await tenants.get(tenantId);
        const { items, pagination } = await users.list({ tenantId }, query);
        return { items: items.map((user) => ({ ...user, tenantId, tenantName })), pagination };
    }
}
