import type { TestTenant } from './tenant.ts';

export interface TestKey {
    id: string;
    secret: string;
    revision: number;
}

/** A new API key of the user, for threads unless it says otherwise. */
export async function newKey(user: Pick<TestTenant, 'call'>, payload: object = {}): Promise<TestKey> {
    const defaults = { name: 'A key', scopes: ['thread:read', 'thread:write'] };
    const answer = await user.call('POST', '/api/keys', { payload: { ...defaults, ...payload } });
    if (answer.status !== 201) throw new Error(`No key: ${answer.text}`);
    const { key, secret } = answer.body.data;
    return { id: key.id, secret, revision: key.revision };
}
