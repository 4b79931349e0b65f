import { randomBytes } from 'node:crypto';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { DirectoryStore } from '../../../plugins/directory/store.ts';
import { appendOutbox } from '../../../src/redis/append-outbox.ts';
import { PLATFORM, tenantKey } from '../../../src/redis/keys.ts';
import { startReplicas, type Answer, type TestApp } from '../../helpers/app.ts';
import { until } from '../../helpers/events.ts';
import { newMember } from '../../helpers/invite.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { testVault } from '../../helpers/store.ts';
import { newTenant, platformToken } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const DAY_MS = 24 * 3600 * 1000;
const newWord = (): string => `w${randomBytes(6).toString('hex')}`;
const page = { limit: 20, direction: 'asc' } as const;

describe('the directory, kept by several workers,', () => {
    let redis: TestRedis;
    let app: TestApp;
    let other: TestApp;
    let token: string;

    before(async () => {
        redis = await startRedis();
        // None of them follows changes until it is told to.
        [app, other] = await startReplicas({ redisPath: redis.path, config: { ACCESS_TOKEN_TTL: 100 * DAY_MS } });
        token = await platformToken(app);
    });

    after(async () => {
        await Promise.all([app.stop(), other.stop()]);
        await redis.stop();
    });

    const find = async (q: string): Promise<string[]> => {
        const { body }: Answer = await app.call('GET', `/api/admin/users?q=${q}`, { token });
        return body.data.users.map(({ id }: { id: string }) => id);
    };
    const keep = () => app.server.plugins.directory.keep();
    const newPerson = async () => {
        const [word, tenant] = [newWord(), await newTenant(app)];
        return { word, tenant, id: await newMember(tenant, { displayName: word }) };
    };

    it('knows what was there before it, when a round has come by', async () => {
        const people = await Promise.all([newPerson(), newPerson(), newPerson()]);
        await keep();
        // As where a version ran that had none.
        await app.redis.del(await app.redis.keys(tenantKey(PLATFORM, 'directory', '*')));
        for (const { tenant } of people) await app.redis.del(tenantKey(tenant.tenantId, 'accounts', 'changed'));
        for (const { word } of people) expect(await find(word)).to.equal([]);
        await keep();
        for (const { word, id } of people) expect(await find(word)).to.equal([id]);
    });

    it('misses no change whose signal was lost, and keeps no note of it', async () => {
        const { tenant, id } = await newPerson();
        await keep();
        const word = newWord();
        await tenant.call('PATCH', `/api/users/${id}`, { payload: { displayName: word } });
        const notes = tenantKey(tenant.tenantId, 'accounts', 'changed');
        expect(await app.redis.hgetall(notes)).to.equal({ [id]: '1' });
        expect(await find(word)).to.equal([]);
        await keep();
        expect(await find(word)).to.equal([id]);
        expect(await app.redis.exists(notes)).to.equal(0);
    });

    it('ends a look for terms after so many, and goes on there', async () => {
        const store = new DirectoryStore(app.store, testVault());
        const { tenantId } = await newTenant(app);
        const word = newWord();
        // All of them have two terms that begin so: the second ones come last, and nobody new is among them.
        const entries = Array.from({ length: 1_200 }, (_, n) => ({
            account: `user_${n}`,
            at: n,
            terms: [`${word} a${n}`, `${word} b${n}`],
            facets: ['all'],
        }));
        await store.put(tenantId, await store.ticket(), entries);
        const found: string[] = [];
        const sizes: number[] = [];
        let cursor: string | null | undefined;
        while (cursor !== null) {
            const query = { ...page, limit: 400, ...(cursor !== undefined && { cursor }) };
            const { items, pagination } = await store.search('users', 'all', word, query);
            found.push(...items.map(({ account }) => account));
            sizes.push(items.length);
            ({ cursor } = pagination);
        }
        expect(found.toSorted()).to.equal(entries.map(({ account }) => account).toSorted());
        expect(sizes).to.equal([400, 400, 400, 0, 0, 0]);
    });

    it('keeps the note of a change that comes while another one is written', async () => {
        const { tenant, id } = await newPerson();
        const store = new DirectoryStore(app.store, testVault());
        const seen = await store.changes(tenant.tenantId);
        await tenant.call('PATCH', `/api/users/${id}`, { payload: { displayName: newWord() } });
        await store.settle(tenant.tenantId, seen);
        expect(await store.changes(tenant.tenantId)).to.equal({ [id]: '2' });
    });

    it('goes through many tenants in steps, and begins anew at the end', async () => {
        const { word, tenant, id } = await newPerson();
        await keep();
        const place = tenantKey(PLATFORM, 'directory', 'round');
        await app.redis.set(place, 'sealed with a key that is gone');
        await tenant.call('PATCH', `/api/users/${id}`, { payload: { displayName: `${word} B` } });
        await keep();
        expect(await find(`${word}%20b`)).to.equal([id]);
        expect(await app.redis.exists(place)).to.equal(0);
    });

    it('compares each tenant as a whole once a day, and heals what differs', async () => {
        const { word, tenant, id } = await newPerson();
        await keep();
        const store = new DirectoryStore(app.store, testVault());
        const ghost = { account: 'user_gone', at: 1, terms: [word], facets: ['all'] };
        await store.put(tenant.tenantId, await store.ticket(), [ghost, { account: id }]);
        await keep();
        expect((await store.search('users', 'all', word, page)).items).to.have.length(1);
        expect(await find(word)).to.equal([]);
        await app.advance(DAY_MS);
        await keep();
        expect(await find(word)).to.equal([id]);
        expect((await store.search('users', 'all', word, page)).items).to.equal([
            { tenantId: tenant.tenantId, account: id },
        ]);
    });

    it('compares the whole tenant when a backup has taken the place of what was there', async () => {
        const { tenant, id } = await newPerson();
        await keep();
        const word = newWord();
        const terms = JSON.stringify({ email: [], displayName: [word] });
        await app.redis.hset(tenantKey(tenant.tenantId, 'user', id), 'terms', terms);
        await keep();
        expect(await find(word)).to.equal([]);
        await appendOutbox(app.store)(tenant.tenantId, { events: [{ type: 'backup.restored', data: {} }] });
        await keep();
        expect(await find(word)).to.equal([id]);
    });

    it('does not put what was read earlier in the place of what was read later', async () => {
        const [word, later] = [newWord(), newWord()];
        const store = new DirectoryStore(app.store, testVault());
        const entry = (term: string) => ({ account: 'user_x', at: 1, terms: [term], facets: ['all'] });
        const [first, second] = [await store.ticket(), await store.ticket()];
        await store.put('tenant_x', second, [entry(later)]);
        await store.put('tenant_x', first, [entry(word)]);
        await store.put('tenant_x', first, [{ account: 'user_x' }]);
        const found = async (term: string) => (await store.search('users', 'all', term, page)).items.length;
        expect([await found(word), await found(later)]).to.equal([0, 1]);
        // Of a purged tenant nothing comes back, however late it was read.
        await store.bar('tenant_x');
        await store.put('tenant_x', await store.ticket(), [entry(later)]);
        expect(await found(later)).to.equal(0);
    });

    it('has in the end what the records have, whoever writes it and however often they change', async () => {
        app.server.plugins.directory.start();
        other.server.plugins.directory.start();
        const people = await Promise.all([newPerson(), newPerson(), newPerson()]);
        const renames = Array.from({ length: 20 }, (_, n) =>
            people.map(async ({ word, tenant, id }) => {
                const payload = { displayName: `${word}n${n} End` };
                await tenant.call('PATCH', `/api/users/${id}`, { payload });
            }),
        );
        await Promise.all(renames.flat());
        for (const { word, tenant, id } of people) {
            const { body } = await tenant.call('GET', `/api/users/${id}`);
            const name = String(body.data.user.displayName).toLowerCase();
            await until(async () => (await find(encodeURIComponent(name))).join() === id, `${name} is found`);
            const notes = tenantKey(tenant.tenantId, 'accounts', 'changed');
            await until(async () => (await app.redis.exists(notes)) === 0, 'the notes are gone');
            const index = tenantKey(PLATFORM, 'directory', 'by', 'users', 'all', 'terms');
            const lines = await app.redis.zrangebylex(index, `[${word}`, `[${word}\u{10ffff}`);
            expect(lines).to.equal([`${name}\0${tenant.tenantId}:${id}`]);
        }
    });
});
