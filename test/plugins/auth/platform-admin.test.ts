import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { ensurePlatformAdmin } from '../../../plugins/auth/platform-admin.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { Passwords } from '../../../src/security/passwords.ts';
import { PLATFORM_ADMIN, startApp, testConfig, type AppOptions, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';

export const lab = Lab.script();
const { describe, it, beforeEach, afterEach } = lab;

describe('the first platform admin', () => {
    let redis: TestRedis;
    const apps: TestApp[] = [];

    const start = async (options: AppOptions = {}) => {
        const app = await startApp({ redisPath: redis.path, ...options });
        apps.push(app);
        return app;
    };

    beforeEach(async () => {
        redis = await startRedis();
    });

    afterEach(async () => {
        await Promise.all(apps.splice(0).map((app) => app.stop()));
        await redis.stop();
    });

    it('is created once by several servers that start at once, and can log in at each', async () => {
        // Composed one after the other: that takes the processor, which all of them share here.
        const app = await start({ isHeld: true });
        const servers = [app];
        while (servers.length < 4) servers.push(await start({ isHeld: true }));
        await Promise.all(servers.map(({ server }) => server.initialize()));
        expect(await app.redis.hlen(tenantKey('platform', 'users', 'by-email'))).to.equal(1);
        expect(await app.redis.zcard(tenantKey('platform', 'users'))).to.equal(1);
        expect(await app.redis.zrange(tenantKey('platform', 'tenants'), '0', '-1')).to.equal(['platform']);
        expect(await app.redis.zcard(tenantKey('platform', 'domain-claims'))).to.equal(0);
        for (const server of servers) {
            const { body } = await server.call('POST', '/api/login', { payload: PLATFORM_ADMIN });
            expect(body.data.user).to.include({ role: 'superadmin', email: PLATFORM_ADMIN.email });
        }
        const entries = await readAudit(app, 'platform');
        expect(entries.filter(({ action }) => action === 'platform.create')).to.equal([
            { action: 'platform.create', resource: 'tenant', resourceId: 'platform', result: 'success' },
        ]);
    });

    it('stays who it is when the configuration changes', async () => {
        await start();
        const config = { PLATFORM_ADMIN_EMAIL: 'other@platform.local', PLATFORM_ADMIN_PASSWORD: 'another password' };
        const later = await start({ config });
        expect((await later.call('POST', '/api/login', { payload: PLATFORM_ADMIN })).status).to.equal(200);
        const payload = { email: 'other@platform.local', password: 'another password' };
        expectError(await later.call('POST', '/api/login', { payload }), 'INVALID_CREDENTIALS');
    });

    it('is shown its made-up password once, by one of those that start at once, and never logged', async () => {
        const app = await start();
        await app.redis.flushall();
        const { PLATFORM_ADMIN_PASSWORD: _none, ...config } = testConfig();
        const shown: string[] = [];
        const ensure = () =>
            ensurePlatformAdmin(config, app.server.plugins, new Passwords(4), (text) => void shown.push(text));
        await Promise.all([ensure(), ensure(), ensure()]);
        await ensure();
        expect(shown).to.have.length(1);
        const [, email, password] = / is (\S+) with the password (\S+)\n/.exec(shown[0] ?? '') ?? [];
        expect(email).to.equal(PLATFORM_ADMIN.email);
        expect(password).to.match(/^[\w-]{20,}$/);
        expect((await app.call('POST', '/api/login', { payload: { email, password } })).status).to.equal(200);
        expect(JSON.stringify(app.logs)).not.to.include(password ?? '');
    });

    it('is shown nothing when the password is configured', async () => {
        const app = await start();
        await app.redis.flushall();
        const shown: string[] = [];
        await ensurePlatformAdmin(testConfig(), app.server.plugins, new Passwords(4), (text) => void shown.push(text));
        expect(shown).to.equal([]);
        expect((await app.call('POST', '/api/login', { payload: PLATFORM_ADMIN })).status).to.equal(200);
    });
});
