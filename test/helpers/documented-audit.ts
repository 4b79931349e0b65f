import { newTenant } from './tenant.ts';
import { newUser } from './user.ts';

import type { Answer, TestApp } from './app.ts';

/** Asks every operation about the audit for what it has to say, and has the answers looked at. */
export async function askAboutAudit(
    app: TestApp,
    look: (method: string, path: string, answer: Answer) => void,
): Promise<void> {
    const own = await newTenant(app);
    const user = await newUser(app, own.tenantId, 'user');
    const path = '/api/audit';
    const queries = {
        [path]: ['', '?limit=1&result=success', '?cursor=foreign', '?limit=0'],
        [`${path}/export`]: ['', '?format=ndjson', '?format=pdf'],
        [`${path}/verify`]: ['', '?cursor=foreign', '?color=red'],
    };
    for (const [operation, asked] of Object.entries(queries)) {
        for (const query of asked) look('get', operation, await own.call('GET', operation + query));
        look('get', operation, await user.call('GET', operation));
        look('get', operation, await app.call('GET', operation));
    }
}
