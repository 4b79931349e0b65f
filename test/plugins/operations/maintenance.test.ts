import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { newKey } from '../../helpers/api-key.ts';
import { PLATFORM_ADMIN, startReplicas, type TestApp } from '../../helpers/app.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { expectOpenAiError } from '../../helpers/openai.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { newTenant, platformToken, type TestTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

describe('Maintenance, on two replicas', () => {
    let redis: TestRedis;
    let one: TestApp;
    let two: TestApp;
    let token: string;
    let ada: TestTenant;
    let key: string;

    const close = (isOn: boolean, message: string | null = null) =>
        one.call('PATCH', '/api/admin/config', { token, payload: { maintenance: { isOn, message } } });

    before(async () => {
        redis = await startRedis();
        [one, two] = await startReplicas({ redisPath: redis.path });
        token = await platformToken(one);
        ada = await newTenant(one);
        key = (await newKey(ada, { scopes: ['thread:read', 'model:read'] })).secret;
        await close(true, 'Back at 14:00 UTC');
    });

    after(async () => {
        await Promise.all([one.stop(), two.stop()]);
        await redis.stop();
    });

    it('refuses tenants, by token and by key, and counts nothing', async () => {
        const refused = await two.call('GET', '/api/threads', { token: ada.accessToken });
        expect(expectError(refused, 'MAINTENANCE').details).to.equal({ message: 'Back at 14:00 UTC' });
        expect(refused.headers['retry-after']).to.equal('60');
        expectError(await two.call('GET', '/api/models', { token: key }), 'MAINTENANCE');
        expectOpenAiError(await two.call('GET', '/v1/models', { token: key }), 'MAINTENANCE');
        expectError(await two.call('GET', '/api/admin/tenants', { token: ada.accessToken }), 'MAINTENANCE');
        expect(refused.headers).to.not.include('x-ratelimit-limit');
    });

    it('refuses registrations, logins and refreshes of tenants', async () => {
        const { email, password, domain, refreshToken } = ada;
        const post = (url: string, payload: object) => two.call('POST', url, { payload });
        const closed = [
            await post('/api/login', { email, password }),
            await post('/api/auth/login', { email: 'nobody@nowhere.example', password }),
            await post('/api/auth/refresh', { refreshToken }),
            await post('/api/auth/register', { tenantName: 'Late', domain: `late-${domain}`, email, password }),
            await post('/api/auth/password/forgot', { email }),
            await two.call('GET', '/api/vms/pricing'),
        ];
        for (const answer of closed) expectError(answer, 'MAINTENANCE');
    });

    it('serves platform admins, whoever looks how things are, and logouts', async () => {
        const { status, body } = await two.call('POST', '/api/login', { payload: PLATFORM_ADMIN });
        expect(status).to.equal(200);
        const { refreshToken, accessToken } = body.data;
        expect((await two.call('POST', '/api/auth/refresh', { payload: { refreshToken } })).status).to.equal(200);
        expect((await two.call('GET', '/api/admin/tenants', { token: accessToken })).status).to.equal(200);
        for (const path of ['/health/live', '/health/ready', '/documentation', '/api/errors']) {
            expect((await two.call('GET', path)).status, path).to.equal(200);
        }
        for (const path of ['/health', '/api/health', '/api/status/health']) {
            const { maintenance } = (await two.call('GET', path)).body.data;
            expect(maintenance, path).to.equal({ isOn: true, message: 'Back at 14:00 UTC' });
        }
        expect((await two.call('POST', '/api/logout')).status).to.equal(200);
    });

    it('still asks for a credential, and refuses a forged one as such', async () => {
        expectError(await two.call('GET', '/api/threads'), 'UNAUTHENTICATED');
        expectError(await two.call('GET', '/api/threads', { token: 'a.forged.token' }), 'UNAUTHENTICATED');
    });

    it('is over with the next request', async () => {
        await close(false);
        expect((await two.call('GET', '/api/threads', { token: ada.accessToken })).status).to.equal(200);
        const { email, password } = ada;
        expect((await two.call('POST', '/api/login', { payload: { email, password } })).status).to.equal(200);
        const { maintenance } = (await two.call('GET', '/health')).body.data;
        expect(maintenance).to.equal({ isOn: false, message: null });
        await close(true);
        const refused = await two.call('GET', '/api/threads', { token: ada.accessToken });
        expect(expectError(refused, 'MAINTENANCE').details).to.be.undefined();
    });
});
