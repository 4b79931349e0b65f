import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { createTenantStore, type Claim, type TenantStore } from '../../../plugins/tenants/store.ts';
import { newId } from '../../../src/ids.ts';
import { RecordExistsError } from '../../../src/redis/create-records.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { Vault } from '../../../src/security/vault.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';

import type { TenantRules } from '../../../plugins/tenants/service.ts';

export const lab = Lab.script();
const { describe, it, beforeEach, afterEach } = lab;

describe('the sweep of claims', () => {
    let redis: TestRedis;
    let app: TestApp;
    let store: TenantStore;
    const sweep = () => (app.server.plugins.tenants as unknown as TenantRules).sweepClaims();

    /** What a registration leaves behind that dies after its claim. */
    const claim = async (domain: string): Promise<Claim> => {
        const left = await store.claim(newId('tenant'), domain);
        if (!left) throw new Error('The domain is taken');
        return left;
    };
    const create = ({ tenantId, domain }: Claim) =>
        store.create(
            {
                id: tenantId,
                name: 'Acme',
                domain,
                plan: 'free',
                status: 'active',
                limits: null,
                settings: null,
                suspendedReason: null,
                epoch: null,
                deletedAt: null,
            },
            { drafts: [], outbox: {} },
        );
    const claims = () => app.redis.zrange(tenantKey('platform', 'domain-claims'), '0', '-1');
    const listed = async ({ tenantId }: Claim) =>
        (await app.redis.zscore(tenantKey('platform', 'tenants'), tenantId)) !== null;

    beforeEach(async () => {
        redis = await startRedis();
        app = await startApp({ redisPath: redis.path });
        store = createTenantStore(app.store, new Vault(app.config.VAULT_KEYS));
    });

    afterEach(async () => {
        await app.stop();
        await redis.stop();
    });

    it('sets a domain free whose tenant was never created, and bars that tenant for good', async () => {
        const left = await claim('acme.example');
        await app.advance(61_000);
        await sweep();
        expect(await claims()).to.equal([]);
        expect(await store.findByDomain('acme.example')).to.be.null();
        expect(await listed(left)).to.be.false();
        // The registration was not dead but slow: it comes too late.
        await expect(create(left)).to.reject(RecordExistsError);
        expect(await app.redis.hget(tenantKey(left.tenantId, 'info'), 'status')).to.equal('barred');

        const payload = {
            tenantName: 'A',
            domain: 'acme.example',
            email: 'a@acme.example',
            password: 'a password for a test',
        };
        expect((await app.call('POST', '/api/auth/register', { payload })).status).to.equal(201);
    });

    it('keeps the domain of a tenant that was created, and lists the tenant', async () => {
        const left = await claim('acme.example');
        await create(left);
        expect(await listed(left)).to.be.false();
        await app.advance(61_000);
        await sweep();
        expect(await claims()).to.equal([]);
        expect(await store.findByDomain('acme.example')).to.equal(left.tenantId);
        expect(await listed(left)).to.be.true();
        expect(await app.redis.hget(tenantKey(left.tenantId, 'info'), 'status')).to.equal('active');
    });

    it('leaves a registration alone that may still be on its way', async () => {
        const left = await claim('acme.example');
        await app.advance(59_000);
        await sweep();
        expect(await claims()).to.equal([`${left.tenantId} acme.example`]);
        await create(left);
        expect(await store.findByDomain('acme.example')).to.equal(left.tenantId);
    });

    it('settles each claim once when several servers sweep at once', async () => {
        const left = await Promise.all(['a.example', 'b.example', 'c.example'].map(claim));
        await create(left[0] as Claim);
        await app.advance(61_000);
        await Promise.all([sweep(), sweep(), sweep(), sweep()]);
        expect(await claims()).to.equal([]);
        expect(await Promise.all(left.map(listed))).to.equal([true, false, false]);
        const found = await Promise.all(left.map(({ domain }) => store.findByDomain(domain)));
        expect(found).to.equal([left[0]?.tenantId ?? '', null, null]);
    });

    it('decides a race with the creation one way or the other, never both', async () => {
        for (let n = 0; n < 20; n++) {
            const left = await claim(`race-${n}.example`);
            await app.advance(61_000);
            const [created] = await Promise.allSettled(
                n % 2 ? [create(left), sweep()] : [create(left), sweep(), sweep()],
            );
            const isThere = created?.status === 'fulfilled';
            expect(await store.findByDomain(left.domain)).to.equal(isThere ? left.tenantId : null);
            expect(await listed(left)).to.equal(isThere);
        }
    });

    it('does not touch a domain that has gone to another since', async () => {
        const left = await claim('acme.example');
        await app.redis.set(tenantKey('platform', 'domain', 'acme.example'), 'tenant_OTHER');
        await app.advance(61_000);
        await sweep();
        expect(await store.findByDomain('acme.example')).to.equal('tenant_OTHER');
        expect(await listed(left)).to.be.false();
    });
});

describe('the timer of the sweep', () => {
    it('sweeps every 30 s, and a failure is logged and no more', async () => {
        const redis = await startRedis();
        const timers: (() => void)[] = [];
        const real = globalThis.setInterval;
        globalThis.setInterval = ((work: () => void, delay: number) => {
            if (delay === 30_000) timers.push(work);
            return real(work, delay);
        }) as typeof setInterval;
        const app = await startApp({ redisPath: redis.path }).finally(() => (globalThis.setInterval = real));
        const store = createTenantStore(app.store, new Vault(app.config.VAULT_KEYS));
        await store.claim(newId('tenant'), 'acme.example');
        await app.advance(61_000);

        expect(timers).to.have.length(1);
        timers[0]?.();
        const until = async (isTrue: () => Promise<boolean> | boolean) => {
            while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 5));
        };
        await until(async () => (await store.findByDomain('acme.example')) === null);

        await redis.stop();
        timers[0]?.();
        await until(() => app.logs.some(({ msg, module }) => msg === 'No sweep' && module === 'tenants'));
        await app.stop();
    });
});
