import { randomBytes } from 'node:crypto';

import { PLATFORM_ADMIN } from './app.ts';
import { setCredit } from './credit.ts';
import { dollars } from '../../src/money.ts';

import type { Answer, CallOptions, TestApp } from './app.ts';

/** A fresh tenant with its admin, logged in. */
export interface TestTenant {
    tenantId: string;
    userId: string;
    domain: string;
    email: string;
    password: string;
    accessToken: string;
    refreshToken: string;
    /** A request of the admin. */
    call: (method: string, url: string, options?: CallOptions) => Promise<Answer>;
}

export async function newTenant(app: TestApp): Promise<TestTenant> {
    const domain = `${randomBytes(8).toString('hex')}.example`;
    const email = `ada@${domain}`;
    const password = 'a password for a test';
    const answer = await app.call('POST', '/api/auth/register', {
        payload: { tenantName: 'Test', domain, email, password },
    });
    if (answer.status !== 201) throw new Error(`No tenant: ${answer.text}`);
    const { tenant, user, accessToken, refreshToken } = answer.body.data;
    // Calls with the platform's keys are paid.
    if (Object.keys(app.config.PROVIDER_KEYS_SHARED).length > 0) await setCredit(app, tenant.id, dollars(5));
    const call = (method: string, url: string, options: CallOptions = {}) =>
        app.call(method, url, { token: accessToken, ...options });
    return { tenantId: tenant.id, userId: user.id, domain, email, password, accessToken, refreshToken, call };
}

/** The access token of the first platform admin. */
export async function platformToken(app: TestApp): Promise<string> {
    const answer = await app.call('POST', '/api/login', { payload: PLATFORM_ADMIN });
    return String(answer.body.data.accessToken);
}
