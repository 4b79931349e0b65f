import { randomBytes } from 'node:crypto';

import { domainOf } from '../../src/mail/address.ts';
import { PLATFORM } from '../../src/redis/keys.ts';

import type { Config } from '../../src/config.ts';
import type { EventEntry } from '../../src/redis/outbox.ts';
import type { Passwords } from '../../src/security/passwords.ts';
import type { TenantService } from '../tenants/api.ts';
import type { UserService } from '../users/api.ts';

/**
 * Creates the platform's own tenant and its first admin unless they exist. Of several replicas that start at once one
 * does it. A password that had to be made up is shown by `show`, this once.
 */
export async function ensurePlatformAdmin(
    config: Config,
    { tenants, users }: { tenants: TenantService; users: UserService },
    passwords: Passwords,
    show: (text: string) => void,
): Promise<void> {
    if (await tenants.exists(PLATFORM)) return;
    const { PLATFORM_ADMIN_EMAIL: email, PLATFORM_ADMIN_PASSWORD: given } = config;
    const password = given ?? randomBytes(15).toString('base64url');
    const { user, draft } = users.draft(PLATFORM, {
        email,
        displayName: 'Platform admin',
        role: 'superadmin',
        passwordHash: await passwords.hash(password),
    });
    const events: EventEntry[] = [{ type: 'user.created', data: { userId: user.id } }];
    const entry = { action: 'platform.create', resource: 'tenant', resourceId: PLATFORM, result: 'success' };
    const founding = { drafts: [draft], outbox: { events, audit: [entry] } };
    const isOurs = await tenants.createPlatform(domainOf(email), founding);
    if (isOurs && given === undefined) {
        show(`\nThe first platform admin is ${email} with the password ${password}\nIt is shown only this once.\n\n`);
    }
}
