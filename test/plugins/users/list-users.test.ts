import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { newMember } from '../../helpers/invite.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newUser } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

describe('GET /api/users', () => {
    let app: TestApp;
    let tenant: TestTenant;
    const list = (query = '') => tenant.call('GET', `/api/users${query}`);
    const found = async (q: string) => {
        const { body } = await list(`?limit=100&q=${encodeURIComponent(q)}`);
        return body.data.users.map(({ displayName }: { displayName: string }) => displayName) as string[];
    };

    before(async () => {
        app = await startApp();
    });

    beforeEach(async () => {
        tenant = await newTenant(app);
    });

    after(() => app.stop());

    it('lists the users by creation, a page at a time, each once', async () => {
        const ids = [tenant.userId];
        for (let n = 0; n < 6; n++) ids.push(await newMember(tenant));
        const pages: string[] = [];
        let cursor = '';
        do {
            const { body } = await list(`?limit=3&order=asc${cursor && `&cursor=${cursor}`}`);
            expect(body.pagination.totalCount).to.equal(7);
            pages.push(...body.data.users.map(({ id }: { id: string }) => id));
            cursor = body.pagination.cursor;
        } while (cursor);
        expect(pages).to.equal(ids);
    });

    it('shows neither a hash nor a search term', async () => {
        const { text } = await list();
        for (const secret of ['passwordHash', '$2b$', 'terms', 'epoch']) expect(text).to.not.contain(secret);
    });

    it('finds by the beginning of the e-mail and of each word of the name, in any case', async () => {
        await newMember(tenant, { displayName: 'Grace King Lovelace', email: 'countess@one.example' });
        await newMember(tenant, { displayName: 'Élodie', email: 'elo@two.example' });
        for (const q of ['grace', 'KING', 'king love', 'Lovelace', 'countess@', 'COUNT']) {
            expect(await found(q), q).to.equal(['Grace King Lovelace']);
        }
        expect(await found('élo')).to.equal(['Élodie']);
        expect(await found('e\u0301lo')).to.equal(['Élodie']);
        for (const q of ['ng', 'one.example', '*', '[', 'zzz', 'grace lovelace']) {
            expect(await found(q), q).to.equal([]);
        }
    });

    it('finds a user of many fitting terms once, over all pages', async () => {
        for (let n = 0; n < 9; n++) {
            await newMember(tenant, { displayName: `Bo Bob Bobby ${n}`, email: `bo${n}@bo.example` });
        }
        const seen: string[] = [];
        let cursor = '';
        do {
            const { body } = await list(`?q=bo&limit=2${cursor && `&cursor=${cursor}`}`);
            expect(body.pagination).to.not.include('totalCount');
            seen.push(...body.data.users.map(({ email }: { email: string }) => email));
            cursor = body.pagination.cursor;
        } while (cursor);
        expect(seen.toSorted()).to.equal(Array.from({ length: 9 }, (_, n) => `bo${n}@bo.example`));
    });

    it('forgets what a user was called before', async () => {
        const id = await newMember(tenant, { displayName: 'Old Name', email: 'old@one.example' });
        const change = (payload: object) => tenant.call('PATCH', `/api/users/${id}`, { payload });
        await change({ displayName: 'old@one.example' });
        expect([await found('name'), await found('old')]).to.equal([[], ['old@one.example']]);
        await change({ email: 'new@one.example' });
        expect(await found('old')).to.equal(['old@one.example']);
        await change({ displayName: 'New' });
        expect([await found('old'), await found('new')]).to.equal([[], ['New']]);
        const terms = await app.redis.zrange(tenantKey(tenant.tenantId, 'users', 'terms'), 0, '-1');
        expect(terms.filter((term) => term.endsWith(id))).to.equal([`new\0${id}`, `new@one.example\0${id}`]);
    });

    it('takes a cursor for the search and the tenant that it is of', async () => {
        for (let n = 0; n < 3; n++) await newMember(tenant, { displayName: `Bob ${n}` });
        const { cursor } = (await list('?q=bob&limit=1')).body.pagination;
        expectError(await list(`?q=bo&cursor=${cursor}`), 'INVALID_CURSOR');
        expectError(await list(`?cursor=${cursor}`), 'INVALID_CURSOR');
        const other = await newTenant(app);
        expectError(await other.call('GET', `/api/users?q=bob&cursor=${cursor}`), 'INVALID_CURSOR');
    });

    it('shows no user of another tenant', async () => {
        const other = await newTenant(app);
        await newMember(other, { displayName: 'Secret' });
        expect(await found('secret')).to.equal([]);
        expect((await list()).body.data.users).to.have.length(1);
    });

    it('refuses who is no admin, and what is wrong', async () => {
        const user = await newUser(app, tenant.tenantId, 'user');
        expectError(await user.call('GET', '/api/users'), 'FORBIDDEN');
        expectError(await app.call('GET', '/api/users'), 'UNAUTHENTICATED');
        expectFaults(await list('?limit=0&q=&role=admin'), ['limit', 'q', 'role']);
    });
});
