import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { PNG } from '../../helpers/images.ts';
import { startWithProvider } from '../../helpers/provider-keys.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newUser } from '../../helpers/user.ts';

import type { TestApp } from '../../helpers/app.ts';
import type { Provider } from '../../helpers/provider.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const MARK = 'x-deleted-user';

describe('a user who is deleted after the credentials were checked', () => {
    let app: TestApp;
    let provider: Provider;
    let ada: TestTenant;

    before(async () => {
        ({ app, provider } = await startWithProvider());
        ada = await newTenant(app);
        app.server.ext('onPreHandler', async ({ headers }, h) => {
            const userId = headers[MARK];
            if (typeof userId === 'string') await app.redis.del(tenantKey(ada.tenantId, 'user', userId));
            return h.continue;
        });
    });

    after(async () => {
        await app.stop();
        await provider.stop();
    });

    for (const [method, path, payload] of [
        ['GET', '', undefined],
        ['PATCH', '', { displayName: 'Bob' }],
        ['POST', '/api-keys', { openai: 'a-key-of-bob' }],
        ['PUT', '/avatar', PNG],
    ] as const) {
        it(`is not found by ${method} /api/profile${path}`, async () => {
            const { userId, call } = await newUser(app, ada.tenantId, 'user');
            const headers = { [MARK]: userId, ...(payload === PNG && { 'content-type': 'image/png' }) };
            expectError(await call(method, `/api/profile${path}`, { headers, payload }), 'USER_NOT_FOUND');
        });
    }
});
