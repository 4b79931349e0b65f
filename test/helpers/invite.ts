import { randomBytes } from 'node:crypto';

import type { Answer } from './app.ts';
import type { TestTenant } from './tenant.ts';

export const newEmail = (): string => `${randomBytes(8).toString('hex')}@user.example`;

/** Has a tenant's admin create a user: `Bob`, an ordinary one, with an invitation, unless told otherwise. */
export const createUser = (tenant: Pick<TestTenant, 'call'>, payload: object = {}): Promise<Answer> =>
    tenant.call('POST', '/api/users', {
        payload: { email: newEmail(), displayName: 'Bob', role: 'user', ...payload },
    });

/** The id of a new user that can log in with `a password of Bob`. */
export async function newMember(tenant: Pick<TestTenant, 'call'>, payload: object = {}): Promise<string> {
    const answer = await createUser(tenant, { password: 'a password of Bob', ...payload });
    if (answer.status !== 201) throw new Error(`No user: ${answer.text}`);
    return String(answer.body.data.user.id);
}
