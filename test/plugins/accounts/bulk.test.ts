import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { PLATFORM, tenantKey } from '../../../src/redis/keys.ts';
import { startReplicas, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { until } from '../../helpers/events.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { newMember } from '../../helpers/invite.ts';
import { DAYS } from '../../helpers/jobs.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { newTenant, platformToken, type TestTenant } from '../../helpers/tenant.ts';
import { newUser } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const ROUTE = '/api/admin/users/bulk';
const BULK = '/api/admin/bulk';
const NOBODY = 'user_00000000000000000000000000';

describe('changes of many users', () => {
    let redis: TestRedis;
    let app: TestApp;
    let other: TestApp;
    let token: string;
    let tenant: TestTenant;
    let admin: string;

    before(async () => {
        redis = await startRedis();
        // Both of them do jobs.
        const config = { ACCESS_TOKEN_TTL: 100 * DAYS };
        [app, other] = await startReplicas({ redisPath: redis.path, worker: true, config });
        token = await platformToken(app);
        tenant = await newTenant(app);
        admin = (await app.call('GET', '/api/auth/me', { token })).body.data.user.id;
    });

    after(async () => {
        await Promise.all([app.stop(), other.stop()]);
        await redis.stop();
    });

    const call = (method: string, url: string, options: object = {}) => app.call(method, url, { token, ...options });
    const ask = (payload: object, options: object = {}) => call('POST', ROUTE, { payload, ...options });
    const read = async (id: string) => (await call('GET', `${BULK}/${id}`)).body.data;
    const run = async (payload: object) => {
        const answer = await ask(payload);
        expect(answer.status, answer.text).to.equal(202);
        const { id } = answer.body.data.bulk;
        await until(async () => (await read(id)).bulk.state === 'completed', 'the change of many is completed');
        return read(id);
    };
    const members = async (count: number, of = tenant) => {
        const ids = await Promise.all(Array.from({ length: count }, () => newMember(of)));
        return ids.map((userId) => ({ tenantId: of.tenantId, userId }));
    };
    const userOf = async ({ tenantId, userId }: { tenantId: string; userId: string }) =>
        (await call('GET', `/api/admin/tenants/${tenantId}/users/${userId}`)).body.data.user;

    it('begins as a queue of them and ends with what became of each', async () => {
        const [foreign, [one, two]] = [await newTenant(app), await members(2)];
        const [elsewhere] = await members(1, foreign);
        const users = [one, { tenantId: foreign.tenantId, userId: NOBODY }, elsewhere, two];
        const { body } = await ask({ action: 'suspend', reason: 'Abuse', users });
        const { id, createdAt, ...bulk } = body.data.bulk;
        expect(id).to.match(/^bulk_/);
        expect(createdAt).to.be.a.string();
        const asked = { action: 'suspend', reason: 'Abuse', tier: null, total: 4, by: admin };
        expect(bulk).to.include(asked);
        expect(['queued', 'running', 'completed']).to.include(bulk.state);
        await until(async () => (await read(id)).bulk.state === 'completed', 'it is completed');
        const result = await read(id);
        expect(result.bulk).to.include({ ...asked, state: 'completed', done: 3, failed: 1 });
        expect(result.bulk.startedAt <= result.bulk.finishedAt).to.be.true();
        expect(result.failures).to.equal([{ ...users[1], code: 'USER_NOT_FOUND' }]);
        for (const place of [one, two, elsewhere]) if (place) expect((await userOf(place)).isActive).to.be.false();
    });

    it('activates, gives a tier and deletes by the same rules as one by one, told in both audits', async () => {
        const users = await members(2);
        const last = { tenantId: tenant.tenantId, userId: tenant.userId };
        const tier = await run({ action: 'tier', tier: 'enterprise', users });
        expect(tier.bulk).to.include({ done: 2, failed: 0, tier: 'enterprise' });
        await run({ action: 'suspend', users });
        const activated = await run({ action: 'activate', users });
        expect(activated.bulk).to.include({ done: 2, reason: null });
        for (const place of users) expect(await userOf(place)).to.include({ tier: 'enterprise', isActive: true });
        const deleted = await run({ action: 'delete', reason: 'Left', users: [...users, last] });
        expect(deleted.failures).to.equal([{ ...last, code: 'LAST_ADMIN' }]);
        for (const place of users) expect((await userOf(place)).deletedAt).to.be.a.string();
        const [first] = users;
        const isAbout = ({ resourceId, action }: Record<string, string>) =>
            resourceId === first?.userId && action !== 'user.read' && action !== 'user.create';
        const platform = (await readAudit(app, PLATFORM)).filter(isAbout);
        expect(platform.map(({ action, result }) => `${action} ${result}`)).to.equal([
            'user.update intended',
            'user.update success',
            'user.suspend intended',
            'user.suspend success',
            'user.activate intended',
            'user.activate success',
            'user.delete intended',
            'user.delete success',
        ]);
        const own = (await readAudit(app, tenant.tenantId)).filter(isAbout);
        expect(own.map(({ action, userId: by }) => `${action} ${by === admin}`)).to.equal([
            'user.update true',
            'user.update true',
            'user.update true',
            'user.delete true',
        ]);
    });

    it('counts as done what is already as it should be, and changes it no more', async () => {
        const users = await members(3);
        const [suspended, deleted, raised] = users;
        await run({ action: 'suspend', users: [suspended] });
        await run({ action: 'delete', users: [deleted] });
        await run({ action: 'tier', tier: 'premium', users: [raised] });
        const before = await Promise.all(users.map(userOf));
        for (const payload of [
            { action: 'suspend', users: [suspended] },
            { action: 'delete', users: [deleted] },
            { action: 'tier', tier: 'premium', users: [raised] },
        ]) {
            expect((await run(payload)).bulk).to.include({ done: 1, failed: 0 });
        }
        expect(await Promise.all(users.map(userOf))).to.equal(before);
        for (const action of ['suspend', 'activate']) {
            const { failures } = await run({ action, users: [deleted] });
            expect(failures).to.equal([{ ...deleted, code: 'ALREADY_DELETED' }]);
        }
    });

    it('lists them, the newest first, a page at a time, and forgets them after 30 days', async () => {
        const [user] = await members(1);
        const ids: string[] = [];
        for (let n = 0; n < 3; n++) {
            await Promise.all([app.advance(1_000), other.advance(1_000)]);
            ids.unshift((await run({ action: 'activate', users: [user] })).bulk.id);
        }
        const first = await call('GET', `${BULK}?limit=2`);
        expect(first.body.data.bulks.map(({ id }: { id: string }) => id)).to.equal(ids.slice(0, 2));
        expect(first.body.data.bulks[0]).to.include({ state: 'completed', done: 1 });
        const next = await call('GET', `${BULK}?limit=1&cursor=${first.body.pagination.cursor}`);
        expect(next.body.data.bulks[0].id).to.equal(ids[2]);
        expectError(await call('GET', `${BULK}?cursor=x`), 'INVALID_CURSOR');
        const keys = (await app.redis.keys(tenantKey(PLATFORM, 'bulk*'))).filter((key) => !key.endsWith(':bulks'));
        for (const key of keys) expect(await app.redis.pttl(key), key).to.be.within(29 * DAYS, 31 * DAYS);
        expectError(await call('GET', `${BULK}/bulk_00000000000000000000000000`), 'BULK_NOT_FOUND');
        expectFaults(await call('GET', `${BULK}/x`), ['bulkId']);
    });

    it('takes up to 1000 users, each once, and a tier where it is of use', async () => {
        const users = Array.from({ length: 1_001 }, (_, n) => ({
            tenantId: tenant.tenantId,
            userId: `user_0000000000000000000000${String(n).padStart(4, '0')}`,
        }));
        expectFaults(await ask({ action: 'suspend', users }), ['users']);
        expectFaults(await ask({ action: 'suspend', users: [] }), ['users']);
        expectFaults(await ask({ action: 'rename', name: 'Bob' }), ['action', 'name', 'users']);
        expectFaults(await ask({ action: 'suspend', users: [users[0], users[1], users[0]] }), ['users.2']);
        expectFaults(await ask({ action: 'suspend', users: [{ tenantId: PLATFORM, userId: 'x', name: 'y' }] }), [
            'users.0.name',
            'users.0.tenantId',
            'users.0.userId',
        ]);
        expectFaults(await ask({ action: 'tier', users: users.slice(0, 1) }), ['tier']);
        expectFaults(await ask({ action: 'delete', tier: 'free', users: users.slice(0, 1) }), ['tier']);
        const { bulk, failures } = await run({ action: 'tier', tier: null, users: users.slice(1) });
        expect(bulk).to.include({ total: 1_000, done: 0, failed: 1_000, tier: null });
        expect(failures).to.equal(users.slice(1).map((user) => ({ ...user, code: 'USER_NOT_FOUND' })));
    });

    it('is for superadmins; support may look', async () => {
        const [user] = await members(1);
        const payload = { action: 'suspend', users: [user] };
        const support = await newUser(app, PLATFORM, 'support');
        const finance = await newUser(app, PLATFORM, 'finance');
        for (const { call: by } of [support, finance, tenant]) {
            const { details } = expectError(await by('POST', ROUTE, { payload }), 'FORBIDDEN');
            expect(details).to.equal({ permission: 'account:write' });
        }
        expect((await support.call('GET', BULK)).status).to.equal(200);
        for (const { call: by } of [finance, tenant]) {
            expectError(await by('GET', BULK), 'FORBIDDEN');
            expectError(await by('GET', `${BULK}/bulk_00000000000000000000000000`), 'FORBIDDEN');
        }
        expectError(await app.call('POST', ROUTE, { payload }), 'UNAUTHENTICATED');
        if (user) expect((await userOf(user)).isActive).to.be.true();
    });
});
