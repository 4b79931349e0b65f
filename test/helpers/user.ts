import { randomBytes } from 'node:crypto';

import { createRecords } from '../../src/redis/create-records.ts';
import { tenantKey } from '../../src/redis/keys.ts';
import { Passwords } from '../../src/security/passwords.ts';

import type { Answer, CallOptions, TestApp } from './app.ts';
import type { Role } from '../../plugins/users/api.ts';

const PASSWORD = 'a password of a user';

/** A fresh user of a tenant, logged in. */
export interface TestUser {
    userId: string;
    email: string;
    password: string;
    accessToken: string;
    refreshToken: string;
    call: (method: string, url: string, options?: CallOptions) => Promise<Answer>;
}

export async function newUser(app: TestApp, tenantId: string, role: Role): Promise<TestUser> {
    const email = `${randomBytes(8).toString('hex')}@user.example`;
    const passwordHash = await new Passwords(app.config.BCRYPT_COST).hash(PASSWORD);
    const { draft } = app.server.plugins.users.draft(tenantId, { email, displayName: 'User', role, passwordHash });
    await createRecords(app.store)(tenantId, [draft]);
    const answer = await app.call('POST', '/api/login', { payload: { email, password: PASSWORD, tenantId } });
    if (answer.status !== 200) throw new Error(`No user: ${answer.text}`);
    const { user, accessToken, refreshToken } = answer.body.data;
    const call = (method: string, url: string, options: CallOptions = {}) =>
        app.call(method, url, { token: accessToken, ...options });
    return { userId: user.id, email, password: PASSWORD, accessToken, refreshToken, call };
}

/** Changes a field of a user behind the program's back. */
export const setUserField = (app: TestApp, tenantId: string, userId: string, field: string, value: string) =>
    app.redis.hset(tenantKey(tenantId, 'user', userId), field, value);
