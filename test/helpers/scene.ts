import { randomBytes } from 'node:crypto';

import type { Answer } from './app.ts';
import type { Api, House } from './house.ts';
import type { TestTenant } from './tenant.ts';

export const PASSWORD = 'a password for a test';

/** A tenant's admin, whose requests go to either replica. */
export interface Guest extends TestTenant {
    other: TestTenant['call'];
}

/** Where the scenario plays, and who plays in it. */
export interface Scene {
    house: House;
    /** Of each node that takes writes at least one. */
    tenants: Guest[];
    /** The first of them. */
    ada: Guest;
    /** Waits for what the scenario has begun to restore. */
    untilRestored: () => Promise<void>;
}

/** The data of an answer that is as it should be. */
export function well({ status, body, text }: Answer): Answer['body'] {
    if (status >= 400) throw new Error(`${status} ${text}`);
    return body?.data;
}

/** A tenant with its admin, registered by that replica. */
export async function register([api, other]: [Api, Api]): Promise<Guest> {
    const domain = `${randomBytes(8).toString('hex')}.example`;
    const email = `ada@${domain}`;
    const payload = { tenantName: 'Test', domain, email, password: PASSWORD };
    const { tenant, user, accessToken, refreshToken } = well(await api.call('POST', '/api/auth/register', { payload }));
    const as =
        ({ call }: Api): TestTenant['call'] =>
        (method, url, options = {}) =>
            call(method, url, { token: accessToken, ...options });
    const ids = { tenantId: String(tenant.id), userId: String(user.id) };
    const secrets = { password: PASSWORD, accessToken: String(accessToken), refreshToken: String(refreshToken) };
    return { ...ids, ...secrets, domain, email, call: as(api), other: as(other) };
}
