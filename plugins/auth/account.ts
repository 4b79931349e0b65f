import { domainOf } from '../../src/mail/address.ts';

import type { TenantService } from '../tenants/api.ts';
import type { User, UserService } from '../users/api.ts';

/** How somebody names an account: by the e-mail address, in the tenant of its domain where no other is named. */
export interface AccountName {
    email: string;
    tenantId?: string | undefined;
    domain?: string | undefined;
}

/** What was found; `place` is the tenant, or what was named in its place. */
export interface Account {
    place: string;
    tenantId: string | null;
    user: User | null;
}

/** @throws TENANT_RESTORING */
export async function findAccount(
    { tenants, users }: { tenants: TenantService; users: UserService },
    { email, ...named }: AccountName,
): Promise<Account> {
    const domain = named.domain ?? domainOf(email);
    const tenantId = named.tenantId ?? (await tenants.findByDomain(domain));
    if (tenantId === null) return { place: domain, tenantId, user: null };
    const [user] = await Promise.all([users.findByEmail(tenantId, email), tenants.checkRestoring(tenantId)]);
    return { place: tenantId, tenantId, user };
}
