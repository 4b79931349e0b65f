import { newMember } from './invite.ts';
import { newTenant, platformToken } from './tenant.ts';

import type { Answer, TestApp } from './app.ts';

/** Asks every operation about the users of all tenants for what it has to say, and has the answers looked at. */
export async function askAboutAccounts(
    app: TestApp,
    look: (method: string, path: string, answer: Answer) => void,
): Promise<void> {
    const [list, bulks, many] = ['/api/admin/users', '/api/admin/bulk', '/api/admin/users/bulk'];
    const account = '/api/admin/tenants/{tenantId}/users/{userId}';
    const [gone, token, own] = ['user_00000000000000000000000000', await platformToken(app), await newTenant(app)];
    const { tenantId, userId: admin } = own;
    const userId = await newMember(own);
    for (const query of [
        '',
        '?q=bob',
        `?tenantId=${tenantId}`,
        '?tenantId=tenant_00000000000000000000000000',
        '?x=1',
    ]) {
        look('get', list, await app.call('GET', list + query, { token }));
    }
    look('get', list, await own.call('GET', list));
    const at = async (method: string, what: string, user: string, options: object = {}) => {
        const url = account.replace('{tenantId}', tenantId).replace('{userId}', user) + what;
        look(method.toLowerCase(), account + what, await app.call(method, url, { token, ...options }));
    };
    for (const user of [userId, admin, gone]) {
        await at('GET', '', user);
        await at('PATCH', '', user, { payload: { tier: 'premium' }, headers: { 'if-match': '"1"' } });
        await at('POST', '/suspend', user, { payload: { reason: 'Abuse was reported' } });
        await at('POST', '/activate', user);
    }
    await own.call('DELETE', `/api/users/${userId}`);
    await at('PATCH', '', userId, { payload: { tier: null } });
    await at('POST', '/suspend', userId, { payload: { reason: 'Abuse was reported' } });
    await at('POST', '/activate', userId);
    const payload = { action: 'suspend', users: [{ tenantId, userId }] };
    const created = await app.call('POST', many, { token, payload });
    look('post', many, created);
    look('post', many, await app.call('POST', many, { token, payload: { ...payload, tier: null } }));
    look('get', bulks, await app.call('GET', bulks, { token }));
    for (const id of [created.body.data.bulk.id, 'bulk_00000000000000000000000000']) {
        look('get', `${bulks}/{bulkId}`, await app.call('GET', `${bulks}/${id}`, { token }));
    }
}
