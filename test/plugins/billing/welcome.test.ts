import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { loadConfig } from '../../../src/config.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { WITH_WELCOME, expectSound, newCashier } from '../../helpers/billing.ts';
import { temporaryFolder } from '../../helpers/folder.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { newTenant, platformToken } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const FIVE_DOLLARS = 5_000_000n;
const CLAIM_LIFETIME = 60_001;

describe('the welcome credit', () => {
    let redis: TestRedis;
    let app: TestApp;

    before(async () => {
        redis = await startRedis();
        app = await startApp({ ...WITH_WELCOME, redisPath: redis.path });
    });

    after(async () => {
        await app.stop();
        await redis.stop();
    });

    const sweep = () => (app.server.plugins.tenants as unknown as { sweepClaims: () => Promise<void> }).sweepClaims();

    const makeTenant = async () => {
        const domain = `made-${Math.random().toString(36).slice(2)}.example`;
        const answer = await app.call('POST', '/api/admin/tenants', {
            token: await platformToken(app),
            payload: { name: 'Made', domain, plan: 'free', admin: { email: `ada@${domain}` } },
        });
        return { tenantId: String(answer.body.data.tenant.id), domain };
    };

    it('is given to who registers, and to a tenant that the platform makes', async () => {
        const { tenantId } = await newTenant(app);
        expect(await expectSound(app.redis, tenantId)).to.equal(FIVE_DOLLARS);
        expect(await expectSound(app.redis, (await makeTenant()).tenantId)).to.equal(FIVE_DOLLARS);
    });

    it('is not given to the platform', async () => {
        expect(await app.redis.exists(tenantKey('platform', 'credits'))).to.equal(0);
    });

    it('is given by the sweeper when the process died before it was, once', async () => {
        const { tenantId, domain } = await makeTenant();
        // As it is left after the creation, before anything else.
        const before = async () => {
            await app.redis.zrem(tenantKey('platform', 'tenants'), tenantId);
            await app.redis.zadd(tenantKey('platform', 'domain-claims'), Date.now(), `${tenantId} ${domain}`);
        };
        const credits = await app.redis.keys(`${tenantKey(tenantId, 'credits')}*`);
        await app.redis.del(credits);
        await before();
        await sweep();
        expect(await expectSound(app.redis, tenantId), 'the claim is fresh').to.equal(0n);
        await app.advance(CLAIM_LIFETIME);
        await Promise.all([sweep(), sweep(), sweep()]);
        expect(await expectSound(app.redis, tenantId)).to.equal(FIVE_DOLLARS);
        expect(await app.redis.zscore(tenantKey('platform', 'tenants'), tenantId)).to.not.be.null();
        // And not again if it died between the credit and the confirmation.
        await before();
        await app.advance(CLAIM_LIFETIME);
        await sweep();
        expect(await expectSound(app.redis, tenantId)).to.equal(FIVE_DOLLARS);
    });

    it('is not given for another domain, nor for a tenant that was never created', async () => {
        const old = await newTenant(app);
        await app.redis.del(await app.redis.keys(`${tenantKey(old.tenantId, 'credits')}*`));
        const claims = tenantKey('platform', 'domain-claims');
        await app.redis.zadd(claims, Date.now(), `${old.tenantId} ${old.domain}`);
        await app.redis.zadd(claims, Date.now(), 'tenant_NEVER never.example');
        await app.advance(CLAIM_LIFETIME);
        await sweep();
        for (const tenantId of [old.tenantId, 'tenant_NEVER']) {
            expect(await app.redis.exists(tenantKey(tenantId, 'credits'))).to.equal(0);
        }
    });

    it('is what the configuration says: none in production', async () => {
        const secrets = {
            DATA_DIR: temporaryFolder(),
            PLATFORM_ADMIN_PASSWORD: 'a password for the platform',
            JWT_KEYS: `k1:${'a'.repeat(64)}`,
            VAULT_KEYS: `k1:${Buffer.alloc(32).toString('base64')}`,
        };
        expect(loadConfig(secrets).WELCOME_CREDITS).to.equal(5);
        expect(loadConfig({ ...secrets, NODE_ENV: 'production' }).WELCOME_CREDITS).to.equal(0);
        const none = await startApp({ redisPath: redis.path, config: { WELCOME_CREDITS: 0 } });
        const { tenantId } = await newTenant(none);
        expect(await none.redis.exists(tenantKey(tenantId, 'credits'))).to.equal(0);
        // More than a balance may be brought to is given all the same: it is the operator's word.
        await none.stop();
        const much = await startApp({ redisPath: redis.path, config: { WELCOME_CREDITS: 20_000 } });
        expect(await expectSound(much.redis, (await newTenant(much)).tenantId)).to.equal(20_000_000_000n);
        await much.stop();
    });

    it('can be spent like any other', async () => {
        const { tenantId } = await newTenant(app);
        const cashier = await newCashier(app);
        expect((await cashier.grant(tenantId, -5_000_000)).status).to.equal(201);
        expect(await expectSound(app.redis, tenantId)).to.equal(0n);
    });
});
