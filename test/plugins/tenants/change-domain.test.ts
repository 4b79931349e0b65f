import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { createTenantStore, type Claim, type TenantStore } from '../../../plugins/tenants/store.ts';
import { isApiError } from '../../../src/http/errors.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { Vault } from '../../../src/security/vault.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { newTenant, platformToken, type TestTenant } from '../../helpers/tenant.ts';

import type { TenantRules } from '../../../plugins/tenants/service.ts';

export const lab = Lab.script();
const { describe, it, beforeEach, afterEach } = lab;

const NEW = 'new.example';
/** As in the service: a change comes in time after its claim, or not at all. */
const IN_TIME_MS = 30_000;

describe('a change of a tenant’s domain that died halfway', () => {
    let redis: TestRedis;
    let app: TestApp;
    let store: TenantStore;
    let tenant: TestTenant;
    const sweep = () => (app.server.plugins.tenants as unknown as TenantRules).sweepClaims();
    const claims = () => app.redis.zrange(tenantKey('platform', 'domain-claims'), '0', '-1');

    beforeEach(async () => {
        redis = await startRedis();
        app = await startApp({ redisPath: redis.path });
        store = createTenantStore(app.store, new Vault(app.config.VAULT_KEYS));
        tenant = await newTenant(app);
    });

    afterEach(async () => {
        await app.stop();
        await redis.stop();
    });

    const claim = async (domain: string, former: string): Promise<Claim> => {
        const made = await store.claim(tenant.tenantId, domain, former);
        if (!made) throw new Error('The domain is taken');
        return made;
    };
    const apply = async ({ domain, at }: Claim) => {
        const { revision } = await store.get(tenant.tenantId);
        return store.update(tenant.tenantId, { changes: { domain }, revision, before: at + IN_TIME_MS, outbox: {} });
    };
    const refusal = (work: Promise<unknown>) =>
        work.then(
            () => null,
            (error: unknown) => (isApiError(error) ? error.data?.code : error),
        );

    /** The tenant has that domain, the other one is free, and nothing is left to do. */
    const expectSettled = async (domain: string, free: string) => {
        expect(await claims()).to.equal([]);
        expect((await store.get(tenant.tenantId)).domain).to.equal(domain);
        expect(await store.findByDomain(domain)).to.equal(tenant.tenantId);
        expect(await store.findByDomain(free)).to.be.null();
        const listed = await app.redis.zrange(tenantKey('platform', 'tenants'), '0', '-1');
        expect(listed.filter((id) => id === tenant.tenantId)).to.have.length(1);
    };

    it('is undone when the tenant was not changed', async () => {
        await claim(NEW, tenant.domain);
        await app.advance(61_000);
        await sweep();
        await expectSettled(tenant.domain, NEW);
    });

    it('is completed when the tenant was changed', async () => {
        await apply(await claim(NEW, tenant.domain));
        expect(await store.findByDomain(tenant.domain)).to.equal(tenant.tenantId);
        await app.advance(61_000);
        await Promise.all([sweep(), sweep(), sweep()]);
        await expectSettled(NEW, tenant.domain);
    });

    it('is completed when the old domain was freed but the claim not confirmed', async () => {
        const made = await claim(NEW, tenant.domain);
        await apply(made);
        await store.release({ ...made, domain: tenant.domain });
        await app.advance(61_000);
        await sweep();
        await expectSettled(NEW, tenant.domain);
    });

    it('is left alone while it may still be on its way', async () => {
        const made = await claim(NEW, tenant.domain);
        await app.advance(29_000);
        await sweep();
        await apply(made);
        expect(await store.findByDomain(NEW)).to.equal(tenant.tenantId);
    });

    it('comes too late when the claim may soon be taken from it', async () => {
        const made = await claim(NEW, tenant.domain);
        await app.advance(IN_TIME_MS + 1_000);
        expect(await refusal(apply(made))).to.equal('SERVER_BUSY');
        expect((await store.get(tenant.tenantId)).domain).to.equal(tenant.domain);
    });

    it('frees nothing that the tenant has gone back to since', async () => {
        const slow = await claim(NEW, tenant.domain);
        await apply(slow);
        await app.advance(61_000);
        await sweep();
        const token = await platformToken(app);
        const url = `/api/admin/tenants/${tenant.tenantId}`;
        const back = await app.call('PATCH', url, { token, payload: { domain: tenant.domain } });
        expect(back.status).to.equal(200);
        await store.release({ ...slow, domain: tenant.domain });
        await store.confirm(slow);
        await expectSettled(tenant.domain, NEW);
    });

    it('leaves what a second change claimed to that one', async () => {
        const first = await claim(NEW, tenant.domain);
        await apply(first);
        const second = await claim('other.example', NEW);
        // The first one goes on at last.
        await store.release({ ...first, domain: tenant.domain });
        await store.confirm(first);
        await apply(second);
        await app.advance(61_000);
        await sweep();
        await expectSettled('other.example', NEW);
        expect(await store.findByDomain(tenant.domain)).to.be.null();
    });

    it('never gives two changes the same time', async () => {
        const made = [];
        for (let n = 0; n < 10; n++) made.push((await claim(`d${n}.example`, tenant.domain)).at);
        expect(new Set(made).size).to.equal(10);
    });

    it('is settled also when the tenant is gone', async () => {
        await claim(NEW, tenant.domain);
        await app.redis.del(tenantKey(tenant.tenantId, 'info'));
        await app.advance(61_000);
        await sweep();
        expect(await claims()).to.equal([]);
        expect(await store.findByDomain(NEW)).to.be.null();
        expect(await store.findByDomain(tenant.domain)).to.be.null();
    });
});
