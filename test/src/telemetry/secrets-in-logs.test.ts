import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { PLATFORM_ADMIN, startApp, type TestApp } from '../../helpers/app.ts';
import { sameOrigin } from '../../helpers/cookies.ts';
import { startRedis } from '../../helpers/redis.ts';
import { newTenant, platformToken } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it } = lab;

/** A day in the life of a tenant, good and bad; gives every secret that came up. */
async function useEverything(app: TestApp): Promise<string[]> {
    const tenant = await newTenant(app);
    const { email, password, accessToken, refreshToken, tenantId, userId } = tenant;
    const wrong = 'a wrong password of somebody';
    await app.call('POST', '/api/auth/register', { payload: { email, password, token: accessToken } });
    await app.call('POST', '/api/login', { payload: { email, password: wrong } });
    await app.call('POST', '/api/login', {
        payload: `{"password":"${wrong}"`,
        headers: { 'content-type': 'application/json' },
    });
    const login = (await app.call('POST', '/api/login', { payload: { email, password } })).body.data;
    const refreshed = await app.call('POST', '/api/auth/refresh', {
        headers: sameOrigin({ refresh: login.refreshToken }),
    });
    await app.call('POST', '/api/auth/refresh', { payload: { refreshToken: `${refreshToken}x` } });
    await tenant.call('GET', '/api/auth/me', { headers: { 'x-api-key': 'lal_not-a-key-of-ours' } });
    await app.call('GET', '/api/auth/me', { token: `${accessToken}x` });
    await app.call('GET', `/api/auth/me?access_token=${accessToken}`);
    await app.call('GET', '/api/auth/me', { headers: { cookie: `access=${accessToken}` } });
    const admin = await platformToken(app);
    await app.call('POST', `/api/admin/tenants/${tenantId}/suspend`, { token: admin, payload: { reason: 'Why not' } });
    await app.call('POST', `/api/admin/tenants/${tenantId}/activate`, { token: admin });

    const key = tenantKey(tenantId, 'user', userId);
    const passwordHash = String(await app.redis.hget(key, 'passwordHash'));
    // A failure inside: the answer does not meet its schema, and the stream of events is no stream.
    await app.redis.hset(key, 'role', 'no-such-role');
    await app.call('POST', '/api/login', { payload: { email, password } });
    await app.call('POST', '/api/auth/refresh', { payload: { refreshToken } });
    await app.redis.del(tenantKey(tenantId, 'events'));
    await app.redis.set(tenantKey(tenantId, 'events'), 'in the way');
    await app.call('POST', '/api/login', { payload: { email, password } });
    await app.call('POST', '/api/logout', { token: accessToken });
    const { accessToken: newer, refreshToken: successor } = refreshed.body.data;
    return [
        password,
        wrong,
        accessToken,
        refreshToken,
        login.accessToken,
        login.refreshToken,
        newer,
        successor,
        admin,
        passwordHash,
    ];
}

describe('the log', () => {
    it('has no password, token, cookie or hash, whatever happens', async () => {
        const redis = await startRedis();
        const app = await startApp({ redisPath: redis.path, config: { LOG_LEVEL: 'trace' } });
        const secrets = await useEverything(app);
        await redis.stop();
        const token = secrets[2] ?? '';
        await app.call('GET', '/api/auth/me', { token });
        await app.call('POST', '/api/login', { payload: PLATFORM_ADMIN });
        await app.stop();

        const statuses = new Set(app.logs.map(({ res }) => (res as { statusCode?: number } | undefined)?.statusCode));
        for (const status of [200, 201, 400, 401, 500, 503]) expect(statuses.has(status), String(status)).to.be.true();
        const text = JSON.stringify(app.logs);
        expect(secrets.filter((secret) => secret.length < 8)).to.equal([]);
        for (const secret of [...secrets, PLATFORM_ADMIN.password]) {
            expect(text.includes(secret), `${secret.slice(0, 12)}… is in the log`).to.be.false();
        }
        for (const secret of secrets) {
            // Nor the signature of a token alone.
            const signature = secret.split('.').at(-1) ?? '';
            if (signature.length > 20) expect(text.includes(signature)).to.be.false();
        }
        expect(text).not.to.include('lal_not-a-key-of-ours');
        expect(text).not.to.include('$2b$');
    });
});
