import { randomBytes } from 'node:crypto';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { PLATFORM, tenantKey } from '../../../src/redis/keys.ts';
import { startApp, type Answer, type TestApp } from '../../helpers/app.ts';
import { until } from '../../helpers/events.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { newMember } from '../../helpers/invite.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { newTenant, platformToken, type TestTenant } from '../../helpers/tenant.ts';
import { newUser } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const TENANTS = '/api/admin/tenants';
const USERS = '/api/admin/users';
/** A word that nothing else begins with. */
const newWord = (): string => `w${randomBytes(6).toString('hex')}`;

describe('the directory', () => {
    let redis: TestRedis;
    let app: TestApp;
    let token: string;

    before(async () => {
        // Of its own: what it finds is what the tests have made.
        redis = await startRedis();
        app = await startApp({ redisPath: redis.path, worker: true });
        token = await platformToken(app);
    });

    after(async () => {
        await app.stop();
        await redis.stop();
    });

    const get = (url: string) => app.call('GET', url, { token });
    const idsOf = ({ body }: Answer): string[] =>
        (body.data.tenants ?? body.data.users).map(({ id }: { id: string }) => id);
    const find = async (url: string) => idsOf(await get(url));
    /** Waits until exactly these are found, in that order. */
    const finds = (url: string, ids: string[]) =>
        until(async () => JSON.stringify(await find(url)) === JSON.stringify(ids), `${url} finds ${ids.join()}`);
    const rename = async (tenant: TestTenant, name: string) =>
        expect((await tenant.call('PATCH', '/api/tenant', { payload: { name } })).status).to.equal(200);
    const patch = (tenantId: string, payload: object) =>
        app.call('PATCH', `${TENANTS}/${tenantId}`, { token, payload });

    describe('of tenants', () => {
        it('finds a tenant by its domain and by each word of its name, and not by what it was called before', async () => {
            const tenant = await newTenant(app);
            const { tenantId, domain } = tenant;
            await finds(`${TENANTS}?q=${domain.slice(0, 10).toUpperCase()}`, [tenantId]);
            const [one, other] = [newWord(), newWord()];
            await rename(tenant, `The ${one} Works`);
            await finds(`${TENANTS}?q=${one.slice(0, 8)}`, [tenantId]);
            await finds(`${TENANTS}?q=${one}%20WOR`, [tenantId]);
            await rename(tenant, other);
            await finds(`${TENANTS}?q=${other}`, [tenantId]);
            await finds(`${TENANTS}?q=${one}`, []);
        });

        it('tells those of a status and a plan apart, in a search and without', async () => {
            const word = newWord();
            const [free, premium] = [await newTenant(app), await newTenant(app)];
            await rename(free, `${word} A`);
            await rename(premium, `${word} B`);
            await patch(premium.tenantId, { plan: 'premium' });
            await finds(`${TENANTS}?q=${word}&plan=premium`, [premium.tenantId]);
            await finds(`${TENANTS}?q=${word}&plan=free&status=active`, [free.tenantId]);
            await app.call('POST', `${TENANTS}/${premium.tenantId}/suspend`, { token, payload: { reason: 'Unpaid' } });
            await finds(`${TENANTS}?q=${word}&status=suspended`, [premium.tenantId]);
            const { body } = await get(`${TENANTS}?status=suspended&plan=premium`);
            expect(body.data.tenants).to.have.length(1);
            expect(body.data.tenants[0]).to.include({ id: premium.tenantId, status: 'suspended', plan: 'premium' });
            expect(body.pagination).to.equal({ cursor: null, limit: 20, hasMore: false, totalCount: 1 });
            await finds(`${TENANTS}?q=${word}&status=active&plan=premium`, []);
        });

        it('shows what is now, and leaves out what does not fit any more', async () => {
            const word = newWord();
            const tenant = await newTenant(app);
            await rename(tenant, word);
            await finds(`${TENANTS}?q=${word}&status=active`, [tenant.tenantId]);
            const notes = tenantKey(tenant.tenantId, 'accounts', 'changed');
            await until(async () => (await app.redis.exists(notes)) === 0, 'all is indexed');
            // Behind the program's back: nobody indexes that.
            const key = tenantKey(tenant.tenantId, 'info');
            await app.redis.hset(key, 'name', 'Another', 'status', 'deleted');
            expect((await get(`${TENANTS}?q=${word}`)).body.data.tenants[0].name).to.equal('Another');
            expect(await find(`${TENANTS}?q=${word}&status=active`)).to.equal([]);
            expect(await find(`${TENANTS}?status=active&order=desc&limit=1`)).to.not.include(tenant.tenantId);
        });

        it('forgets a tenant that is purged, with its users, and takes nothing of it back', async () => {
            const tenant = await newTenant(app);
            const userId = await newMember(tenant);
            const { tenantId, domain } = tenant;
            await finds(`${USERS}?q=ada@${domain}`, [tenant.userId]);
            await app.call('DELETE', `${TENANTS}/${tenantId}`, { token });
            await finds(`${TENANTS}?q=${domain}&status=deleted`, [tenantId]);
            await app.redis.hset(tenantKey(tenantId, 'info'), 'deletedAt', 1);
            await app.server.plugins.tenants.purge(tenantId);
            expect(await find(`${TENANTS}?q=${domain}`)).to.equal([]);
            const index = tenantKey(PLATFORM, 'directory', 'by', 'users', 'all', 'order');
            expect(await app.redis.zscore(index, `${tenantId}:${userId}`)).to.be.null();
            expect(await app.redis.exists(tenantKey(PLATFORM, 'directory', 'entries', tenantId))).to.equal(0);
        });

        it('refuses what it does not know', async () => {
            expectFaults(await get(`${TENANTS}?status=gone&plan=gold&q=&owner=me`), ['owner', 'plan', 'q', 'status']);
            const { body } = await get(`${TENANTS}?plan=free&limit=1`);
            expect(body.pagination.hasMore).to.be.true();
            for (const list of ['plan=premium', 'status=active', 'plan=free&order=asc', 'q=test', 'plan=free&q=t']) {
                expectError(await get(`${TENANTS}?${list}&cursor=${body.pagination.cursor}`), 'INVALID_CURSOR');
            }
        });
    });

    describe('of users', () => {
        it('finds users of all tenants by e-mail and by each word of their name, in alphabetical order', async () => {
            const [word, other] = [newWord(), newWord()];
            const [one, two] = [await newTenant(app), await newTenant(app)];
            const bob = await newMember(one, { displayName: `Bob ${word} B` });
            const amy = await newMember(two, { displayName: `${word} Amy`, email: `${word}@mail.example` });
            await finds(`${USERS}?q=${word.toUpperCase()}`, [amy, bob]);
            await finds(`${USERS}?q=${word}@`, [amy]);
            const { body } = await get(`${USERS}?q=${word}%20b`);
            expect(body.data.users).to.have.length(1);
            expect(body.data.users[0]).to.include({
                id: bob,
                tenantId: one.tenantId,
                tenantName: 'Test',
                role: 'user',
            });
            expect(Object.keys(body.data.users[0])).to.not.include(['passwordHash', 'terms', 'epoch']);
            expect(body.pagination).to.equal({ cursor: null, limit: 20, hasMore: false });
            await one.call('PATCH', `/api/users/${bob}`, { payload: { displayName: `Robert ${other}` } });
            await finds(`${USERS}?q=${other}`, [bob]);
            await finds(`${USERS}?q=${word}`, [amy]);
            await two.call('PATCH', '/api/profile', { payload: { displayName: `Ada ${other}` } });
            // Of one term by tenant.
            const [first] = [one.tenantId, two.tenantId].toSorted();
            await finds(`${USERS}?q=${other}`, first === one.tenantId ? [bob, two.userId] : [two.userId, bob]);
        });

        it('gives each once, a page at a time, though several of its terms begin so', async () => {
            const word = newWord();
            const tenant = await newTenant(app);
            const names = ['A', 'B', 'C', 'D', 'E'].map((letter) => `${word} ${word}${letter}`);
            const ids: string[] = [];
            for (const [n, displayName] of names.entries()) {
                ids.push(await newMember(tenant, { displayName, email: `${word}${n}@mail.example` }));
            }
            await finds(`${USERS}?q=${word}`, ids);
            const seen: string[] = [];
            for (let cursor = ''; ;) {
                const answer = await get(`${USERS}?q=${word}&limit=2${cursor && `&cursor=${cursor}`}`);
                seen.push(...idsOf(answer));
                ({ cursor } = answer.body.pagination);
                if (!cursor) break;
                expectError(await get(`${USERS}?q=${word}0&cursor=${cursor}`), 'INVALID_CURSOR');
            }
            expect(seen).to.equal(ids);
        });

        it('lists all by creation, and goes on behind one that is gone', async () => {
            const tenant = await newTenant(app);
            const ids: string[] = [];
            for (let n = 0; n < 4; n++) {
                await app.advance(1_000);
                ids.unshift(await newMember(tenant));
            }
            await finds(`${USERS}?limit=4`, ids);
            const first = await get(`${USERS}?limit=2`);
            expect(Number(first.body.pagination.totalCount)).to.be.at.least(5);
            // The last of this page, and the first of the next.
            for (const id of ids.slice(1, 3)) await app.redis.del(tenantKey(tenant.tenantId, 'user', id));
            expect(await find(`${USERS}?limit=2`)).to.equal(ids.slice(0, 1));
            expect(await find(`${USERS}?limit=2&cursor=${first.body.pagination.cursor}`)).to.equal(ids.slice(3, 4));
        });

        it('of one tenant are those of its own list, at once', async () => {
            const tenant = await newTenant(app);
            const userId = await newMember(tenant, { displayName: 'Bob' });
            const { body } = await get(`${USERS}?tenantId=${tenant.tenantId}&q=bob`);
            expect(body.data.users).to.have.length(1);
            expect(body.data.users[0]).to.include({ id: userId, tenantId: tenant.tenantId, tenantName: 'Test' });
            expect(await find(`${USERS}?tenantId=${tenant.tenantId}&limit=1`)).to.have.length(1);
            expectError(await get(`${USERS}?tenantId=tenant_00000000000000000000000000`), 'TENANT_NOT_FOUND');
            expectFaults(await get(`${USERS}?tenantId=${PLATFORM}&role=admin`), ['role', 'tenantId']);
        });

        it('has none of the platform’s own, and none that is purged', async () => {
            const { userId: support, email } = await newUser(app, PLATFORM, 'support');
            await app.call('PATCH', `/api/users/${support}`, { token, payload: { displayName: 'Supporter' } });
            const tenant = await newTenant(app);
            const userId = await newMember(tenant, { displayName: 'Gone Soon' });
            await finds(`${USERS}?q=gone%20soon`, [userId]);
            expect(await find(`${USERS}?q=${email}`)).to.equal([]);
            expect(await find(`${USERS}?q=supporter`)).to.equal([]);
            expect(await app.redis.exists(tenantKey(PLATFORM, 'accounts', 'changed'))).to.equal(0);
            await tenant.call('DELETE', `/api/users/${userId}`);
            expect(await find(`${USERS}?q=gone%20soon`)).to.equal([userId]);
            await app.redis.hset(tenantKey(tenant.tenantId, 'user', userId), 'deletedAt', 1);
            await app.server.plugins.users.purge(tenant.tenantId, userId);
            await finds(`${USERS}?q=gone%20soon`, []);
            const entries = tenantKey(PLATFORM, 'directory', 'entries', tenant.tenantId);
            await until(async () => (await app.redis.hexists(entries, userId)) === 0, 'the entry is gone');
        });
    });
});
