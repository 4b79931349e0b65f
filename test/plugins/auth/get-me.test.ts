import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../helpers/app.ts';
import { asCookies, sameOrigin } from '../../helpers/cookies.ts';
import { countCommands } from '../../helpers/count-commands.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { startRedis } from '../../helpers/redis.ts';
import { newTenant, platformToken } from '../../helpers/tenant.ts';
import { newUser, setUserField } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const ROUTE = '/api/auth/me';

describe('GET /api/auth/me', () => {
    let app: TestApp;

    before(async () => {
        app = await startApp();
    });

    after(() => app.stop());

    it('tells user, tenant, tier, permissions and the expiry of the token', async () => {
        const tenant = await newTenant(app);
        const { status, body, text } = await tenant.call('GET', ROUTE);
        expect(status).to.equal(200);
        expect(body.data.user).to.include({ id: tenant.userId, email: tenant.email, role: 'admin', isActive: true });
        expect(body.data.tenant).to.include({ id: tenant.tenantId, domain: tenant.domain, status: 'active' });
        expect(body.data.tier).to.equal('free');
        expect(body.data.permissions).to.equal([
            'thread:read',
            'thread:write',
            'model:read',
            'model:call',
            'model:load',
            'profile:read',
            'profile:write',
            'project:read',
            'project:write',
            'vm:read',
            'vm:write',
            'tunnel:read',
            'tunnel:write',
            'proxy:read',
            'proxy:write',
            'event:read',
            'billing:read-own',
            'user:read',
            'user:write',
            'settings:write',
            'billing:read',
            'billing:limit',
            'audit:read',
            'webhook:read',
            'webhook:write',
            'backup:read',
            'backup:create',
            'backup:restore',
            'backup:delete',
        ]);
        const { exp } = JSON.parse(Buffer.from(tenant.accessToken.split('.')[1] ?? '', 'base64url').toString());
        expect(body.data.expiresAt).to.equal(new Date(exp * 1000).toISOString());
        expect(Object.keys(body.data)).to.have.length(5);
        expect(text).not.to.include('passwordHash');
    });

    it('tells the tier of the user where it is another than the plan of the tenant', async () => {
        const tenant = await newTenant(app);
        await setUserField(app, tenant.tenantId, tenant.userId, 'tier', 'premium');
        const { headers, body } = await tenant.call('GET', ROUTE);
        expect(body.data.tier).to.equal('premium');
        expect(headers['x-ratelimit-limit']).to.equal('500');
    });

    it('tells the permissions of the role at this moment', async () => {
        const user = await newUser(app, 'platform', 'support');
        const permissions = async () => (await user.call('GET', ROUTE)).body.data.permissions;
        expect(await permissions()).to.include('tenant:suspend');
        await setUserField(app, 'platform', user.userId, 'role', 'finance');
        expect(await permissions()).not.to.include('tenant:suspend');
    });

    it('answers 500, and no reason, when what is stored does not meet the schema of the answer', async () => {
        const { tenantId, userId, call } = await newTenant(app);
        await setUserField(app, tenantId, userId, 'role', 'no-such-role');
        const answer = await call('GET', ROUTE);
        const { details } = expectError(answer, 'INTERNAL_ERROR');
        expect(details).to.be.undefined();
        expect(answer.text).not.to.include('user.role');
        const line = app.logs.find((log) => log.requestId === answer.body.requestId && log.level === 50);
        expect(line?.msg).to.include('user.role');
    });

    it('tells the platform admin of the platform', async () => {
        const { body } = await app.call('GET', ROUTE, { token: await platformToken(app) });
        expect(body.data.tenant).to.include({ id: 'platform', plan: 'enterprise' });
        expect(body.data.permissions).to.include('tenant:suspend');
    });

    it('needs a credential', async () => {
        expectError(await app.call('GET', ROUTE), 'UNAUTHENTICATED');
    });

    it('takes the access cookie, from wherever the request comes', async () => {
        const { accessToken, userId } = await newTenant(app);
        for (const headers of [asCookies({ access: accessToken }), sameOrigin({ access: accessToken })]) {
            const { body } = await app.call('GET', ROUTE, { headers });
            expect(body.data?.user.id).to.equal(userId);
        }
    });

    it('is refused for a disabled user and a user who is gone', async () => {
        const tenant = await newTenant(app);
        const user = await newUser(app, tenant.tenantId, 'user');
        await setUserField(app, tenant.tenantId, user.userId, 'isActive', '0');
        expectError(await user.call('GET', ROUTE), 'USER_DISABLED');
        await app.redis.del(app.server.plugins.users.key(tenant.tenantId, user.userId));
        expectError(await user.call('GET', ROUTE), 'USER_DISABLED');
    });

    it('is refused at once when the tenant is suspended or gone', async () => {
        const { tenantId, call } = await newTenant(app);
        const key = app.server.plugins.tenants.key(tenantId);
        await app.redis.hset(key, 'status', 'suspended');
        expectError(await call('GET', ROUTE), 'TENANT_SUSPENDED');
        await app.redis.hset(key, 'status', 'active');
        expect((await call('GET', ROUTE)).status).to.equal(200);
        await app.redis.del(key);
        expectError(await call('GET', ROUTE), 'TENANT_SUSPENDED');
    });

    it('takes one command to admit a request and two to read what it answers', async () => {
        const redis = await startRedis();
        const lone = await startApp({ redisPath: redis.path });
        const { call } = await newTenant(lone);
        // The first request makes the script known.
        await call('GET', ROUTE);
        let status = 0;
        const commands = await countCommands(lone.redis, async () => {
            status = (await call('GET', ROUTE)).status;
        });
        await lone.stop();
        await redis.stop();
        expect(status).to.equal(200);
        expect(commands).to.equal(['evalsha', 'hgetall', 'hgetall']);
    });
});
