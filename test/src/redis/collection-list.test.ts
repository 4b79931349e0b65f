import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { isoTime, type RecordBase } from '../../../src/redis/codec.ts';
import { Collection, type PageQuery, type Place } from '../../../src/redis/collection.ts';
import { altered } from '../../helpers/altered.ts';
import { newPlaces, note, notesOf, type Note } from '../../helpers/notes.ts';
import { codeOf, NOON, openStore, testVault, type TestStore } from '../../helpers/store.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

interface Ticket extends RecordBase {
    expiresAt: string;
}

const DIRECTIONS = ['asc', 'desc'] as const;
const FIRST: PageQuery = { order: 'created', direction: 'asc', limit: 10 };
const numbered = (count: number) => Array.from({ length: count }, (_, n) => `n${String(n).padStart(3, '0')}`);

describe('Collection.list', () => {
    let test: TestStore;
    let notes: Collection<Note>;

    /** The ids of all pages, one after the other; between two of them something may happen. */
    async function pagesOf(
        place: Place,
        query: PageQuery,
        between = async (_page: number): Promise<void> => undefined,
    ) {
        const pages: string[][] = [];
        for (let cursor: string | null | undefined; cursor !== null;) {
            const { items, pagination } = await notes.list(place, { ...query, cursor });
            pages.push(items.map(({ id }) => id));
            expect(pagination.hasMore).to.equal(pagination.cursor !== null);
            expect(pagination.limit).to.equal(query.limit);
            cursor = pagination.cursor;
            await between(pages.length);
        }
        return pages;
    }

    const createAll = (tenantId: string, ids: string[], changes: Partial<Note> = {}) =>
        Promise.all(ids.map((id) => notes.create(tenantId, note(id, changes))));

    before(async () => {
        test = await openStore();
        notes = notesOf(test);
    });

    beforeEach(() => test.setTime(NOON));

    after(() => test.close());

    it('gives an empty last page where there is nothing', async () => {
        const pagination = { cursor: null, limit: 10, hasMore: false, totalCount: 0 };
        expect(await notes.list(newPlaces().ada, FIRST)).to.equal({ items: [], pagination });
    });

    it('gives whole records of the owner only, and counts them', async () => {
        const { tenantId, ada, bob } = newPlaces();
        const [created] = await createAll(tenantId, ['n1']);
        await createAll(tenantId, ['n2', 'n3'], { ownerId: 'bob' });
        const { items, pagination } = await notes.list(ada, FIRST);
        expect(items).to.equal([created] as Note[]);
        expect(pagination.totalCount).to.equal(1);
        expect((await notes.list(bob, FIRST)).items.map(({ id }) => id)).to.equal(['n2', 'n3']);
    });

    it('pages through many records of one and the same score in both directions, each once', async () => {
        const { tenantId, ada } = newPlaces();
        const ids = numbered(150);
        await createAll(tenantId, ids);
        for (const limit of [1, 7, 50, 149, 150, 200]) {
            for (const direction of DIRECTIONS) {
                const pages = await pagesOf(ada, { order: 'created', direction, limit });
                expect(pages.flat(), `${direction} by ${limit}`).to.equal(
                    direction === 'asc' ? ids : [...ids].reverse(),
                );
                expect(pages).to.have.length(Math.ceil(150 / limit));
            }
        }
    });

    it('pages through groups of one score each', async () => {
        const { tenantId, ada } = newPlaces();
        const ids = numbered(60);
        for (let group = 0; group < 6; group++) {
            await test.setTime(NOON + group);
            await createAll(tenantId, ids.slice(group * 10, group * 10 + 10));
        }
        for (const limit of [3, 10, 11]) {
            expect((await pagesOf(ada, { ...FIRST, limit })).flat()).to.equal(ids);
            expect((await pagesOf(ada, { ...FIRST, direction: 'desc', limit })).flat()).to.equal([...ids].reverse());
        }
    });

    it('orders by creation, or by the last change', async () => {
        const { tenantId, ada } = newPlaces();
        for (const [at, id] of ['n1', 'n2', 'n3'].entries()) {
            await test.setTime(NOON + at);
            await createAll(tenantId, [id]);
        }
        await test.setTime(NOON + 10);
        await notes.update(ada, 'n1', { size: 2 });
        expect((await pagesOf(ada, FIRST)).flat()).to.equal(['n1', 'n2', 'n3']);
        const byUpdate = { ...FIRST, order: 'updated' };
        expect((await pagesOf(ada, byUpdate)).flat()).to.equal(['n2', 'n3', 'n1']);
        expect((await pagesOf(ada, { ...byUpdate, direction: 'desc' })).flat()).to.equal(['n1', 'n3', 'n2']);
        await notes.delete(ada, 'n3');
        expect((await pagesOf(ada, byUpdate)).flat()).to.equal(['n2', 'n1']);
        await expect(notes.list(ada, { ...FIRST, order: 'size' })).to.reject(TypeError, 'There is no order size');
    });

    it('neither leaves out nor repeats records when others are created and deleted between two pages', async () => {
        const { tenantId, ada } = newPlaces();
        const ids = numbered(40);
        await createAll(tenantId, ids);
        const pages = await pagesOf(ada, { ...FIRST, limit: 10 }, async (page) => {
            if (page !== 1) return;
            await test.setTime(NOON - 1);
            await createAll(tenantId, ['early']);
            await test.setTime(NOON + 1);
            await createAll(tenantId, ['late']);
            // The one the cursor stands on, one before and one after it.
            for (const gone of ['n009', 'n003', 'n015']) await notes.delete(ada, gone);
        });
        expect(pages.flat()).to.equal([...ids.filter((id) => id !== 'n015'), 'late']);
    });

    it('fills its pages with the records that are left when some have vanished without a word', async () => {
        const { tenantId, ada } = newPlaces();
        const ids = numbered(60);
        await createAll(tenantId, ids);
        const gone = ids.filter((_, n) => n % 10 !== 0 || n === 50);
        await test.redis.del(...gone.map((id) => notes.key(tenantId, id)));
        const left = ['n000', 'n010', 'n020', 'n030', 'n040'];
        expect(await pagesOf(ada, { ...FIRST, limit: 2 })).to.equal([
            left.slice(0, 2),
            left.slice(2, 4),
            left.slice(4),
        ]);
        expect(await pagesOf(ada, { ...FIRST, direction: 'desc', limit: 5 })).to.equal([[...left].reverse()]);
    });

    it('refuses the cursor of another direction, order, owner or tenant', async () => {
        const { tenantId, ada, bob } = newPlaces();
        await createAll(tenantId, numbered(20));
        const cursor = String((await notes.list(ada, FIRST)).pagination.cursor);
        const foreign: [Place, PageQuery][] = [
            [ada, { ...FIRST, direction: 'desc' }],
            [ada, { ...FIRST, order: 'updated' }],
            [bob, FIRST],
            [newPlaces().ada, FIRST],
        ];
        for (const [place, query] of foreign) {
            expect(await codeOf(notes.list(place, { ...query, cursor }))).to.equal('INVALID_CURSOR');
        }
        expect((await notes.list(ada, { ...FIRST, cursor })).items[0]?.id).to.equal('n010');
    });

    it('refuses a cursor that was altered or made with another key', async () => {
        const { tenantId, ada } = newPlaces();
        await createAll(tenantId, numbered(20));
        const cursor = String((await notes.list(ada, FIRST)).pagination.cursor);
        const others = notesOf({ ...test, vault: testVault() });
        const foreign = String((await others.list(ada, FIRST)).pagination.cursor);
        for (const wrong of ['', 'x', foreign, ...altered(cursor)]) {
            expect(await codeOf(notes.list(ada, { ...FIRST, cursor: wrong })), wrong).to.equal('INVALID_CURSOR');
        }
    });

    describe('of records that expire', () => {
        let tickets: Collection<Ticket>;

        const expiring = (id: string, milliseconds: number) => ({ id, expiresAt: isoTime(Date.now() + milliseconds) });
        const byExpiry: PageQuery = { order: 'expiry', direction: 'asc', limit: 10 };
        const until = async (condition: () => Promise<boolean>) => {
            while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
        };

        before(() => {
            tickets = new Collection<Ticket>(test.store, test.vault, {
                name: 'ticket',
                fields: { expiresAt: 'time' },
                orders: { expiry: { by: 'expiresAt', index: () => ['tickets'] } },
                notFound: 'SESSION_ENDED',
            });
        });

        it('orders them by expiry', async () => {
            const { tenantId } = newPlaces();
            await test.setTime(Date.now());
            await tickets.create(tenantId, expiring('late', 90_000));
            await tickets.create(tenantId, expiring('soon', 60_000));
            const { items } = await tickets.list({ tenantId }, byExpiry);
            expect(items.map(({ id }) => id)).to.equal(['soon', 'late']);
            expect(await test.redis.pttl(tickets.key(tenantId, 'soon'))).to.be.between(0, 60_001);
        });

        it('gives none that has expired, and forgets it when the next one is created', async () => {
            const { tenantId } = newPlaces();
            await test.setTime(Date.now());
            const place = { tenantId };
            await tickets.create(tenantId, expiring('gone', 30));
            await until(async () => (await tickets.find(place, 'gone')) === null);
            expect(await codeOf(tickets.get(place, 'gone'))).to.equal('SESSION_ENDED');
            expect((await tickets.list(place, byExpiry)).items).to.equal([]);
            await test.setTime(Date.now());
            await tickets.create(tenantId, expiring('new', 60_000));
            const { items, pagination } = await tickets.list(place, byExpiry);
            expect(items.map(({ id }) => id)).to.equal(['new']);
            expect(pagination.totalCount).to.equal(1);
        });
    });
});
