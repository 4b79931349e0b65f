import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { SearchStore } from '../../../plugins/threads/search-store.ts';
import { summaryTerms } from '../../../plugins/threads/search-terms.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { temporaryScript } from '../../helpers/lua.ts';
import { addThreads, storesOf } from '../../helpers/many-threads.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newThread } from '../../helpers/thread.ts';
import { newUser } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

interface Shown {
    id: string;
    title: string;
}

describe('GET /api/threads?q=', () => {
    let app: TestApp;
    let ada: TestTenant;

    before(async () => {
        app = await startApp();
    });

    beforeEach(async () => {
        ada = await newTenant(app);
    });

    after(() => app.stop());

    const search = async (q: string, more = '') => {
        const answer = await ada.call('GET', `/api/threads?q=${encodeURIComponent(q)}${more}`);
        expect(answer.status, answer.text).to.equal(200);
        return answer.body;
    };
    const titles = async (q: string, more = '') =>
        (await search(q, more)).data.threads.map(({ title }: Shown) => title) as string[];
    /** One after the other, each at a time of its own. */
    const addInTurn = async (...all: string[]) => {
        const ids: string[] = [];
        for (const title of all) {
            await app.advance(1_000);
            ids.push(...(await addThreads(app, ada, [title])));
        }
        return ids;
    };
    const rename = (id: string, title: string) => ada.call('PATCH', `/api/threads/${id}/title`, { payload: { title } });

    it('finds words and how they begin, whatever their case and order, and all of them', async () => {
        await addInTurn('Trip to Lisbon', 'Lisbon trams', 'A TRIP to Porto', 'Tripoli');
        expect(await titles('trip')).to.equal(['Tripoli', 'A TRIP to Porto', 'Trip to Lisbon']);
        expect(await titles('LIS tri')).to.equal(['Trip to Lisbon']);
        expect(await titles('lisbon')).to.equal(['Lisbon trams', 'Trip to Lisbon']);
        expect(await titles('trip, to!')).to.equal(['A TRIP to Porto', 'Trip to Lisbon']);
        for (const q of ['isbon', 'lisbon faro', 'lisbonne', 'title', 'titl', '…', '*', '[', '"'])
            expect(await titles(q), q).to.equal([]);
    });

    it('finds a thread once of which several words begin so', async () => {
        await addThreads(app, ada, ['test testing tested', 'other']);
        expect(await titles('test')).to.equal(['test testing tested']);
        expect(await titles('tes test')).to.equal(['test testing tested']);
    });

    it('is in each order of the list', async () => {
        const [first = ''] = await addInTurn('One word', 'Two word', 'Three word');
        expect(await titles('word')).to.equal(['Three word', 'Two word', 'One word']);
        await app.advance(1_000);
        await rename(first, 'First word');
        expect(await titles('word')).to.equal(['First word', 'Three word', 'Two word']);
        expect(await titles('word', '&order=asc')).to.equal(['Two word', 'Three word', 'First word']);
        expect(await titles('word', '&orderBy=created_at')).to.equal(['Three word', 'Two word', 'First word']);
        expect(await titles('word', '&orderBy=created_at&order=asc')).to.equal([
            'First word',
            'Two word',
            'Three word',
        ]);
    });

    it('leads from page to page, each thread once, without a count', async () => {
        // Many of one millisecond.
        const made = Array.from({ length: 25 }, (_, n) => `Number ${n} ${n % 2 ? 'odd' : 'even'}`);
        await addThreads(app, ada, made);
        for (const order of ['asc', 'desc']) {
            const seen: string[] = [];
            let cursor: string | null = '';
            while (cursor !== null) {
                const { data, pagination } = await search(
                    'even',
                    `&order=${order}&limit=4${cursor && `&cursor=${cursor}`}`,
                );
                seen.push(...data.threads.map(({ title }: Shown) => title));
                expect(pagination).to.not.include('totalCount');
                expect(pagination.hasMore).to.equal(pagination.cursor !== null);
                cursor = pagination.cursor;
            }
            const listed = (await ada.call('GET', `/api/threads?limit=100&order=${order}`)).body.data.threads;
            const even = listed.map(({ title }: Shown) => title).filter((title: string) => title.endsWith('even'));
            expect(seen).to.equal(even);
            expect(seen).to.have.length(13);
        }
    });

    it('refuses the cursor of another search, of the list and of another user', async () => {
        await addThreads(app, ada, ['One word', 'Two word']);
        const { cursor } = (await search('word', '&limit=1')).pagination;
        for (const query of [`q=wor&cursor=${cursor}`, `cursor=${cursor}`, `q=word&order=asc&cursor=${cursor}`]) {
            expectError(await ada.call('GET', `/api/threads?${query}`), 'INVALID_CURSOR');
        }
        const other = await newTenant(app);
        expectError(await other.call('GET', `/api/threads?q=word&cursor=${cursor}`), 'INVALID_CURSOR');
    });

    for (const query of ['q=', 'q=%20', `q=${'x'.repeat(101)}`, 'q=a&q=b']) {
        it(`refuses ?${query.slice(0, 20)}`, async () => {
            expectError(await ada.call('GET', `/api/threads?${query}`), 'VALIDATION_ERROR');
        });
    }

    it('finds nobody else’s threads, of the same tenant or another', async () => {
        await newThread(ada, 'A secret');
        const bob = await newUser(app, ada.tenantId, 'user');
        const mallory = await newTenant(app);
        for (const { call } of [bob, mallory]) {
            expect((await call('GET', '/api/threads?q=secret')).body.data.threads).to.equal([]);
        }
        expect(await titles('secret')).to.equal(['A secret']);
    });

    it('finds a thread by its new title only, and none that is deleted; nothing is left behind', async () => {
        const id = await newThread(ada, 'Old name');
        await rename(id, 'New name');
        expect(await titles('old')).to.equal([]);
        expect(await titles('new name')).to.equal(['New name']);
        await ada.call('DELETE', `/api/threads/${id}`);
        expect(await titles('name')).to.equal([]);
        expect(await app.redis.keys(tenantKey(ada.tenantId, '*', 'terms'))).to.equal([
            tenantKey(ada.tenantId, 'users', 'terms'),
        ]);
    });

    it('keeps exactly the words of the last title when many rename it at once', async () => {
        const id = await newThread(ada, 'Start');
        await Promise.all(Array.from({ length: 15 }, (_, n) => rename(id, `Title${n} all`)));
        const { title } = (await ada.call('GET', `/api/threads/${id}`)).body.data.thread;
        const members = await app.redis.zrange(
            tenantKey(ada.tenantId, 'user', ada.userId, 'threads', 'terms'),
            '0',
            '-1',
        );
        const words = title.toLowerCase().split(' ') as string[];
        expect(members.toSorted()).to.equal(words.map((word) => `${word}\0${id}`).toSorted());
    });

    it('neither finds nor fails at a thread of before there was a search; its next title is found', async () => {
        const id = await newThread(ada, 'Ancient');
        const key = tenantKey(ada.tenantId, 'thread', id);
        await app.redis.del(`${key}:terms`, tenantKey(ada.tenantId, 'user', ada.userId, 'threads', 'terms'));
        expect(await titles('ancient')).to.equal([]);
        await rename(id, 'Antique');
        expect(await titles('antique')).to.equal(['Antique']);
        await app.redis.del(`${key}:terms`);
        expect((await ada.call('DELETE', `/api/threads/${id}`)).status).to.equal(200);
    });

    describe('by summaries', () => {
        /** What a script does that stores a summary. */
        const summarize = async (threadId: string, modelId: string, summary: string | null) => {
            const { store, place } = storesOf(app, ada);
            const keys = store.termKeys(place, threadId);
            const run = app.store.script(
                temporaryScript('-- @include terms\nchange_terms(KEYS[1], KEYS[2], ARGV[1], cjson.decode(ARGV[2]))'),
            );
            await run(keys, [threadId, JSON.stringify(summaryTerms(modelId, summary))]);
        };

        it('finds words of title and summaries together, and each field changes alone', async () => {
            const id = await newThread(ada, 'Holidays');
            await summarize(id, 'sandbox', 'Trams and castles of Lisbon');
            await summarize(id, 'other', 'Bridges, and holidays in Porto');
            expect(await titles('holi lisb port')).to.equal(['Holidays']);
            await summarize(id, 'other', null);
            expect(await titles('porto')).to.equal([]);
            expect(await titles('holidays castles')).to.equal(['Holidays']);
            await rename(id, 'Work');
            expect(await titles('holidays')).to.equal([]);
            expect(await titles('work trams')).to.equal(['Work']);
            for (const q of ['summary', 'sandbox', 'title', 'other']) expect(await titles(q), q).to.equal([]);
            // Nor is what names a field a word, when others have it.
            await addThreads(app, ada, ['A summary', 'Summary', 'My summary']);
            expect(await titles('work summary')).to.equal([]);
            await ada.call('DELETE', `/api/threads/${id}`);
            expect(await titles('trams')).to.equal([]);
        });
    });

    it('walks the list, some at a time, for words that more threads have than it may look at', async () => {
        const made = Array.from(
            { length: 40 },
            (_, n) => `Common ${n % 10 === 3 ? 'rare' : 'plain'} ${n < 20 ? 'early' : 'late'}`,
        );
        await addThreads(app, ada, made.slice(0, 20));
        await app.advance(1_000);
        await addThreads(app, ada, made.slice(20));
        const { store, vault, place } = storesOf(app, ada);
        const narrow = new SearchStore(app.store, vault, store, 7);
        const all = async (words: string[], direction: 'asc' | 'desc', limit: number) => {
            const seen: string[] = [];
            const sizes: number[] = [];
            let cursor: string | undefined;
            do {
                const page = await narrow.page(place, words, { order: 'updated_at', direction, limit, cursor });
                seen.push(...page.items.map(({ title }) => String(title)));
                sizes.push(page.items.length);
                cursor = page.pagination.cursor ?? undefined;
            } while (cursor !== undefined);
            return { seen, sizes };
        };
        for (const direction of ['asc', 'desc'] as const) {
            const listed = (await ada.call('GET', `/api/threads?limit=100&order=${direction}`)).body.data.threads;
            const order = listed.map(({ title }: Shown) => title) as string[];
            const common = await all(['common'], direction, 3);
            expect(common.seen).to.equal(order);
            const plain = await all(['common', 'plain'], direction, 10);
            expect(plain.seen).to.equal(order.filter((title) => title.includes('plain')));
            expect(Math.max(...plain.sizes)).to.be.at.most(7);
            // On the way to these whole pages are empty.
            for (const word of ['early', 'late']) {
                const { seen, sizes } = await all(['common', word], direction, 5);
                expect(seen).to.equal(order.filter((title) => title.includes(word)));
                if ((word === 'early') === (direction === 'desc')) expect(sizes[0]).to.equal(0);
            }
            expect((await all(['common', 'rare'], direction, 2)).seen).to.equal(
                order.filter((title) => title.includes('rare')),
            );
        }
    });
});
