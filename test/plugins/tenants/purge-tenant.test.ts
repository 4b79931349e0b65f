import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { DAYS, type TestQueue } from '../../helpers/jobs.ts';
import { newTenant, platformToken, type TestTenant } from '../../helpers/tenant.ts';
import { newThread } from '../../helpers/thread.ts';
import { startWithWorker, type AppWithWorker } from '../../helpers/with-worker.ts';

import type { TestApp } from '../../helpers/app.ts';

export const lab = Lab.script();
const { describe, it, beforeEach, afterEach } = lab;

describe('the purge of a tenant', () => {
    let app: TestApp;
    let jobs: TestQueue;
    let due: AppWithWorker['due'];
    let stop: AppWithWorker['stop'];
    let tenant: TestTenant;
    let other: TestTenant;
    let token: string;

    const keysOf = ({ tenantId }: TestTenant) => app.redis.keys(tenantKey(tenantId, '*'));
    /** Without what is noted of changes until the directory has them, and limits, which expire. */
    const lastingKeysOf = async (one: TestTenant) =>
        (await keysOf(one)).filter((key) => !/:accounts:changed$|}:rate:/.test(key)).toSorted();
    const urlOf = ({ tenantId }: TestTenant) => `/api/admin/tenants/${tenantId}`;
    const remove = () => app.call('DELETE', urlOf(tenant), { token });
    const restore = () => app.call('POST', `${urlOf(tenant)}/restore`, { token });
    const purgesTold = async () => (await readAudit(app, 'platform')).filter(({ action }) => action === 'tenant.purge');

    beforeEach(async () => {
        ({ app, jobs, due, stop } = await startWithWorker());
        tenant = await newTenant(app);
        other = await newTenant(app);
        for (const one of [tenant, other]) await newThread(one);
        token = await platformToken(app);
    });

    afterEach(() => stop());

    it('removes every key of it after 30 days, none of others, and frees the domain', async () => {
        // More than one batch.
        const filler = Array.from({ length: 1_500 }, (_, n) => [tenantKey(tenant.tenantId, 'filler', String(n)), 'x']);
        await app.redis.mset(...filler.flat());
        const others = await lastingKeysOf(other);
        await remove();
        await due();
        expect((await keysOf(tenant)).length).to.be.above(1_500);
        await app.advance(31 * DAYS);
        expectError(await restore(), 'NOT_RESTORABLE');
        await due();
        expect(await keysOf(tenant)).to.equal([]);
        expect(await lastingKeysOf(other)).to.equal(others);
        expectError(await app.call('GET', urlOf(tenant), { token }), 'TENANT_NOT_FOUND');
        const list = await app.call('GET', '/api/admin/tenants', { token });
        expect(list.body.data.tenants.map(({ id }: { id: string }) => id)).to.equal([other.tenantId]);
        expect(list.body.pagination.totalCount).to.equal(1);
        const { domain, email, password } = tenant;
        const payload = { tenantName: 'Again', domain, email, password };
        expect((await app.call('POST', '/api/auth/register', { payload })).status).to.equal(201);
        expect(await purgesTold()).to.have.length(1);
    });

    it('removes nothing of a tenant that was restored', async () => {
        await remove();
        await restore();
        const keys = await lastingKeysOf(tenant);
        await app.advance(31 * DAYS);
        await due();
        expect(await lastingKeysOf(tenant)).to.equal(keys);
        expect(await jobs.delayed()).to.equal([]);
    });

    it('waits for the time of the last deletion', async () => {
        await remove();
        await app.advance(20 * DAYS);
        await restore();
        await remove();
        await app.advance(15 * DAYS);
        await due();
        expect((await app.call('GET', urlOf(tenant), { token })).body.data.tenant.status).to.equal('deleted');
        await app.advance(15 * DAYS);
        await due();
        expectError(await app.call('GET', urlOf(tenant), { token }), 'TENANT_NOT_FOUND');
    });

    it('goes on where it was interrupted', async () => {
        const { tenants } = app.server.plugins;
        const domain = tenantKey('platform', 'domain', tenant.domain);
        const tries = [
            // Each step of a purge ends in one of these commands.
            async () => void (await app.redis.unlink((await keysOf(tenant)).filter((key) => !key.endsWith(':info')))),
            async () => void (await app.redis.del(domain)),
            async () => void (await app.redis.zrem(tenantKey('platform', 'tenants'), tenant.tenantId)),
        ];
        await remove();
        await app.advance(31 * DAYS);
        for (const step of tries) await step();
        await tenants.purge(tenant.tenantId);
        expect(await keysOf(tenant)).to.equal([]);
        expect(await app.redis.exists(domain)).to.equal(0);
    });

    it('may be done by several at once, and again', async () => {
        const { tenants } = app.server.plugins;
        await remove();
        await app.advance(31 * DAYS);
        await Promise.allSettled(Array.from({ length: 4 }, () => tenants.purge(tenant.tenantId)));
        await tenants.purge(tenant.tenantId);
        expect(await keysOf(tenant)).to.equal([]);
        expect(await purgesTold()).to.have.length(1);
    });

    it('does not free a domain that has gone to another since', async () => {
        const key = tenantKey('platform', 'domain', tenant.domain);
        await remove();
        await app.advance(31 * DAYS);
        await app.redis.set(key, other.tenantId);
        await due();
        expect(await app.redis.get(key)).to.equal(other.tenantId);
        expect(await keysOf(tenant)).to.equal([]);
    });
});
