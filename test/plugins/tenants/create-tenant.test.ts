import { randomBytes } from 'node:crypto';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { RecordExistsError } from '../../../src/redis/create-records.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { startRedis } from '../../helpers/redis.ts';

import type { Founding } from '../../../plugins/tenants/api.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const NOTHING: Founding = { drafts: [], outbox: {} };
const newDomain = () => `${randomBytes(8).toString('hex')}.example`;

describe('TenantService.create', () => {
    let app: TestApp;
    const create = (domain: string, found: (tenantId: string) => Promise<Founding>) =>
        app.server.plugins.tenants.create({ name: 'Acme', domain, plan: 'free' }, found);
    const isClaimed = async (domain: string) => {
        const claims = await app.redis.zrange(tenantKey('platform', 'domain-claims'), '0', '-1');
        return claims.some((claim) => claim.endsWith(` ${domain}`));
    };

    before(async () => {
        app = await startApp();
    });

    after(() => app.stop());

    it('gives the tenant, lists it and leads its domain to it', async () => {
        const { tenants } = app.server.plugins;
        const domain = newDomain();
        const tenant = await create(domain, async () => NOTHING);
        expect(tenant).to.include({ name: 'Acme', domain, plan: 'free', status: 'active', suspendedReason: null });
        expect(await tenants.get(tenant.id)).to.equal(tenant);
        expect(await tenants.findByDomain(domain)).to.equal(tenant.id);
        expect(await tenants.exists(tenant.id)).to.be.true();
        expect(await app.redis.zscore(tenantKey('platform', 'tenants'), tenant.id)).to.not.be.null();
        expect(await isClaimed(domain)).to.be.false();
    });

    it('asks for the founding only when the domain is ours', async () => {
        const domain = newDomain();
        const asked: string[] = [];
        const found = async (id: string) => {
            asked.push(id);
            return NOTHING;
        };
        const results = await Promise.allSettled(Array.from({ length: 20 }, () => create(domain, found)));
        expect(results.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
        expect(asked).to.have.length(1);
    });

    it('sets the domain free when the founding fails, and gives its error', async () => {
        const domain = newDomain();
        const failure = new Error('No founding');
        await expect(create(domain, () => Promise.reject(failure))).to.reject('No founding');
        expect(await app.server.plugins.tenants.findByDomain(domain)).to.be.null();
        expect(await isClaimed(domain)).to.be.false();
        expect((await create(domain, async () => NOTHING)).domain).to.equal(domain);
    });

    it('creates nothing when the record of a founding exists', async () => {
        const domain = newDomain();
        let tenantId = '';
        const found = async (id: string) => {
            tenantId = id;
            const user = { email: `ada@${domain}`, displayName: 'Ada', role: 'admin', passwordHash: 'x' } as const;
            const { draft } = app.server.plugins.users.draft(id, user);
            await app.redis.hset(draft.keys[0] ?? '', 'id', 'in the way');
            return {
                drafts: [draft],
                outbox: { audit: [{ action: 'a', resource: 'b', resourceId: 'c', result: 'd' }] },
            };
        };
        await expect(create(domain, found)).to.reject(RecordExistsError);
        expect(await app.server.plugins.tenants.findByDomain(domain)).to.be.null();
        expect(await readAudit(app, tenantId)).to.equal([]);
        expect(await app.redis.zscore(tenantKey('platform', 'tenants'), tenantId)).to.be.null();
    });

    it('keeps the domain of a tenant that was created although its answer was lost', async () => {
        const domain = newDomain();
        let tenantId = '';
        const found = async (id: string) => {
            tenantId = id;
            // As if the script had run and its answer had not come.
            await app.redis.hset(tenantKey(id, 'info'), { id, status: 'active', domain });
            throw new Error('Command timed out');
        };
        await expect(create(domain, found)).to.reject('Command timed out');
        expect(await app.server.plugins.tenants.findByDomain(domain)).to.equal(tenantId);
        expect(await isClaimed(domain)).to.be.true();
    });
});

describe('TenantService.createPlatform', () => {
    let app: TestApp;

    before(async () => {
        app = await startApp();
    });

    after(() => app.stop());

    it('says that the platform exists, and changes nothing', async () => {
        const { tenants } = app.server.plugins;
        const platform = await tenants.get('platform');
        expect(await tenants.createPlatform(newDomain(), NOTHING)).to.be.false();
        expect(await tenants.get('platform')).to.equal(platform);
    });

    it('gives any other failure, and succeeds when the reason is gone', async () => {
        const redis = await startRedis();
        const lone = await startApp({ redisPath: redis.path });
        await lone.redis.flushall();
        const { tenants, users } = lone.server.plugins;
        const user = { email: 'a@b.example', displayName: 'A', role: 'superadmin', passwordHash: 'x' } as const;
        const founding = { drafts: [users.draft('platform', user).draft], outbox: {} };
        const index = tenantKey('platform', 'users', 'by-email');
        await lone.redis.set(index, 'in the way');
        const failed = tenants.createPlatform('b.example', founding);
        await expect(failed).to.reject(/WRONGTYPE/);
        const existed = await tenants.exists('platform');
        await lone.redis.del(index);
        const isOurs = await tenants.createPlatform('b.example', founding);
        await lone.stop();
        await redis.stop();
        expect(existed).to.be.false();
        expect(isOurs).to.be.true();
    });
});
