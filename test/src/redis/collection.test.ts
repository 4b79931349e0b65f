import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { isoTime } from '../../../src/redis/codec.ts';
import { Collection, type CollectionDefinition } from '../../../src/redis/collection.ts';
import { createRecords, RecordExistsError } from '../../../src/redis/create-records.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { outboxKeys, type Outbox } from '../../../src/redis/outbox.ts';
import { newPlaces, note, notesOf, type Note } from '../../helpers/notes.ts';
import { codeOf, newTenantId, NOON, openStore, type TestStore } from '../../helpers/store.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

describe('Collection', () => {
    let test: TestStore;
    let notes: Collection<Note>;

    const outbox: Outbox = {
        events: [{ type: 'thread.updated', data: { threadId: 'n1' } }],
        audit: [{ action: 'note.change', resource: 'note', resourceId: 'n1', result: 'success' }],
    };

    /** How many events and audit entries the tenant has. */
    const written = (tenantId: string) => Promise.all(outboxKeys(tenantId).map((key) => test.redis.xlen(key)));

    /** How many promises were kept, and what the others were refused with. */
    const outcomes = async (promises: Promise<unknown>[]) => {
        const refusals = await Promise.all(
            promises.map((promise) =>
                promise.then(
                    () => null,
                    () => codeOf(promise),
                ),
            ),
        );
        return { won: refusals.filter((code) => code === null).length, codes: [...new Set(refusals)].filter(Boolean) };
    };

    before(async () => {
        test = await openStore();
        notes = notesOf(test);
    });

    beforeEach(() => test.setTime(NOON));

    after(() => test.close());

    describe('purge', () => {
        it('removes what one owner has, and goes on where it was interrupted', async () => {
            const { tenantId, ada, bob } = newPlaces();
            const ids = Array.from({ length: 250 }, (_, n) => `n${n}`);
            await Promise.all(ids.map((id) => notes.create(tenantId, note(id))));
            await notes.create(tenantId, note('other', { ownerId: 'bob' }));
            const removed: string[] = [];
            const remove = async (some: string[]) => {
                if (removed.length === 200) throw new Error('interrupted');
                removed.push(...some);
            };
            await expect(notes.purge(ada, 'created', remove)).to.reject('interrupted');
            expect(await test.redis.zcard(notes.orderKey(ada, 'created'))).to.equal(50);
            await notes.purge(ada, 'created', async (some) => removed.push(...some));
            expect(removed.toSorted()).to.equal(ids.toSorted());
            expect(await test.redis.exists(notes.orderKey(ada, 'created'))).to.equal(0);
            expect(await test.redis.zcard(notes.orderKey(bob, 'created'))).to.equal(1);
        });
    });

    describe('create', () => {
        it('gives the record its times and its first revision, and keeps it', async () => {
            const { tenantId, ada } = newPlaces();
            const created = await notes.create(tenantId, note('n1'));
            expect(created).to.equal({
                ...note('n1'),
                revision: 1,
                createdAt: isoTime(NOON),
                updatedAt: isoTime(NOON),
            });
            expect(await notes.get(ada, 'n1')).to.equal(created);
        });

        it('refuses an id that is in use and changes nothing', async () => {
            const { tenantId, ada } = newPlaces();
            const created = await notes.create(tenantId, note('n1'));
            await expect(notes.create(tenantId, note('n1', { name: 'b', slug: 'b' }), outbox)).to.reject(
                RecordExistsError,
            );
            expect(await notes.get(ada, 'n1')).to.equal(created);
            expect(await notes.findId(tenantId, 'name', 'b')).to.be.null();
            expect(await written(tenantId)).to.equal([0, 0]);
        });

        it('appends events and audit entries in the same step', async () => {
            const { tenantId } = newPlaces();
            await notes.create(tenantId, note('n1'), outbox);
            expect(await written(tenantId)).to.equal([1, 1]);
        });

        it('refuses a unique value that is taken, by its field, and appends nothing', async () => {
            const { tenantId, bob } = newPlaces();
            await notes.create(tenantId, note('n1'));
            const { name, slug } = note('n1');
            expect(await codeOf(notes.create(tenantId, note('n2', { name }), outbox))).to.equal('EMAIL_TAKEN');
            expect(await codeOf(notes.create(tenantId, note('n2', { slug, ownerId: 'bob' }), outbox))).to.equal(
                'DOMAIN_TAKEN',
            );
            expect(await notes.find(bob, 'n2')).to.be.null();
            expect(await notes.findId(tenantId, 'name', note('n2').name)).to.be.null();
            expect(await written(tenantId)).to.equal([0, 0]);
            await notes.create(newTenantId(), note('n1'));
        });

        it('lets exactly one of 50 at once have a unique value', async () => {
            const { tenantId, ada } = newPlaces();
            const all = Array.from({ length: 50 }, (_, n) =>
                notes.create(tenantId, note(`n${n}`, { name: 'a' }), outbox),
            );
            expect(await outcomes(all)).to.equal({ won: 1, codes: ['EMAIL_TAKEN'] });
            const { items } = await notes.list(ada, { order: 'created', direction: 'asc', limit: 100 });
            expect(items).to.have.length(1);
            expect(await notes.findId(tenantId, 'name', 'a')).to.equal(String(items[0]?.id));
            expect(await written(tenantId)).to.equal([1, 1]);
        });
    });

    describe('createRecords', () => {
        it('creates several records, all with one time', async () => {
            const { tenantId, ada } = newPlaces();
            const drafts = ['n1', 'n2'].map((id) => notes.draft(tenantId, note(id)));
            expect(await createRecords(test.store)(tenantId, drafts, outbox)).to.equal(NOON);
            expect((await notes.get(ada, 'n1')).createdAt).to.equal((await notes.get(ada, 'n2')).createdAt);
            expect(await written(tenantId)).to.equal([1, 1]);
        });

        it('creates none of them when one is refused', async () => {
            const { tenantId, ada } = newPlaces();
            await notes.create(tenantId, note('n3'));
            const create = createRecords(test.store);
            const drafts = ['n1', 'n2', 'n3'].map((id) => notes.draft(tenantId, note(id)));
            await expect(create(tenantId, drafts, outbox)).to.reject(RecordExistsError);
            const taken = notes.draft(tenantId, note('n4', { slug: 'slug-of-n3' }));
            const code = await codeOf(create(tenantId, [...drafts.slice(0, 2), taken], outbox));
            expect(code).to.equal('DOMAIN_TAKEN');
            const { items } = await notes.list(ada, { order: 'created', direction: 'asc', limit: 10 });
            expect(items.map(({ id }) => id)).to.equal(['n3']);
            expect(await notes.findId(tenantId, 'name', note('n1').name)).to.be.null();
            expect(await written(tenantId)).to.equal([0, 0]);
        });
    });

    describe('find, get and findId', () => {
        it('see a record of the owner only, or of anybody where no owner is named', async () => {
            const { tenantId, ada, bob } = newPlaces();
            const created = await notes.create(tenantId, note('n1'));
            expect(await notes.find(ada, 'n1')).to.equal(created);
            expect(await notes.find({ tenantId }, 'n1')).to.equal(created);
            expect(await notes.find(bob, 'n1')).to.be.null();
            expect(await codeOf(notes.get(bob, 'n1'))).to.equal('USER_NOT_FOUND');
        });

        it('see no record of another tenant', async () => {
            const { tenantId } = newPlaces();
            const { ada } = newPlaces();
            await notes.create(tenantId, note('n1'));
            expect(await codeOf(notes.get(ada, 'n1'))).to.equal('USER_NOT_FOUND');
            expect(await notes.findId(ada.tenantId, 'name', note('n1').name)).to.be.null();
        });

        it('find the id by a unique field, and by no other', async () => {
            const { tenantId } = newPlaces();
            await notes.create(tenantId, note('n1'));
            expect(await notes.findId(tenantId, 'slug', 'slug-of-n1')).to.equal('n1');
            await expect(notes.findId(tenantId, 'text', 'x')).to.reject(TypeError, 'text is not a unique field');
        });
    });

    describe('update', () => {
        it('changes, sets and removes fields, counts the revision and gives the whole record', async () => {
            const { tenantId, ada } = newPlaces();
            const created = await notes.create(tenantId, note('n1', { text: 'x' }));
            await test.setTime(NOON + 5);
            const changed = await notes.update(ada, 'n1', { text: null, size: 7 }, { outbox });
            expect(changed).to.equal({ ...created, text: null, size: 7, revision: 2, updatedAt: isoTime(NOON + 5) });
            expect(await notes.get(ada, 'n1')).to.equal(changed);
            expect(await written(tenantId)).to.equal([1, 1]);
        });

        it("changes neither what is missing nor what is somebody else's, and appends nothing", async () => {
            const { tenantId, ada, bob } = newPlaces();
            const created = await notes.create(tenantId, note('n1'));
            expect(await codeOf(notes.update(bob, 'n1', { size: 7 }, { outbox }))).to.equal('USER_NOT_FOUND');
            expect(await codeOf(notes.update(ada, 'n2', { size: 7 }, { outbox }))).to.equal('USER_NOT_FOUND');
            expect(await notes.get(ada, 'n1')).to.equal(created);
            expect(await notes.find(ada, 'n2')).to.be.null();
            expect(await written(tenantId)).to.equal([0, 0]);
        });

        it('moves a unique value: the old one is free, the new one taken', async () => {
            const { tenantId, ada } = newPlaces();
            await notes.create(tenantId, note('n1', { name: 'old' }));
            await notes.update(ada, 'n1', { name: 'new' });
            expect(await notes.findId(tenantId, 'name', 'old')).to.be.null();
            expect(await notes.findId(tenantId, 'name', 'new')).to.equal('n1');
            expect(await codeOf(notes.create(tenantId, note('n2', { name: 'new' })))).to.equal('EMAIL_TAKEN');
            await notes.create(tenantId, note('n2', { name: 'old' }));
            expect(await notes.findId(tenantId, 'slug', 'slug-of-n1')).to.equal('n1');
        });

        it('takes the value that the record has already', async () => {
            const { tenantId, ada } = newPlaces();
            await notes.create(tenantId, note('n1', { name: 'a' }));
            await notes.update(ada, 'n1', { name: 'a', slug: 'b' });
            expect(await notes.findId(tenantId, 'name', 'a')).to.equal('n1');
            expect(await notes.findId(tenantId, 'slug', 'b')).to.equal('n1');
        });

        it('refuses a unique value that is taken, by its field, and changes nothing', async () => {
            const { tenantId, ada } = newPlaces();
            await notes.create(tenantId, note('n1'));
            const second = await notes.create(tenantId, note('n2'));
            const { slug } = note('n1');
            expect(await codeOf(notes.update(ada, 'n2', { name: note('n1').name }))).to.equal('EMAIL_TAKEN');
            expect(await codeOf(notes.update(ada, 'n2', { slug }))).to.equal('DOMAIN_TAKEN');
            expect(await codeOf(notes.update(ada, 'n2', { name: 'b', slug, size: 7 }, { outbox }))).to.equal(
                'DOMAIN_TAKEN',
            );
            expect(await notes.get(ada, 'n2')).to.equal(second);
            expect(await notes.findId(tenantId, 'name', 'b')).to.be.null();
            expect(await written(tenantId)).to.equal([0, 0]);
        });

        it('lets exactly one of many at once have a unique value', async () => {
            const { tenantId, ada } = newPlaces();
            const ids = Array.from({ length: 20 }, (_, n) => `n${n}`);
            await Promise.all(ids.map((id) => notes.create(tenantId, note(id))));
            const all = ids.map((id) => notes.update(ada, id, { slug: 'a' }));
            expect(await outcomes(all)).to.equal({ won: 1, codes: ['DOMAIN_TAKEN'] });
        });

        it('changes the given revision only, and appends nothing otherwise', async () => {
            const { tenantId, ada } = newPlaces();
            await notes.create(tenantId, note('n1'));
            const changed = await notes.update(ada, 'n1', { size: 2 }, { revision: 1 });
            for (const revision of [1, 3, 0]) {
                const refused = notes.update(ada, 'n1', { size: 3 }, { revision, outbox });
                expect(await codeOf(refused)).to.equal('REVISION_MISMATCH');
            }
            expect(await notes.get(ada, 'n1')).to.equal(changed);
            expect(await written(tenantId)).to.equal([0, 0]);
        });

        it('lets exactly one of many at once change a revision', async () => {
            const { tenantId, ada } = newPlaces();
            await notes.create(tenantId, note('n1'));
            const all = Array.from({ length: 25 }, (_, size) =>
                notes.update(ada, 'n1', { size }, { revision: 1, outbox }),
            );
            expect(await outcomes(all)).to.equal({ won: 1, codes: ['REVISION_MISMATCH'] });
            expect((await notes.get(ada, 'n1')).revision).to.equal(2);
            expect(await written(tenantId)).to.equal([1, 1]);
        });
    });

    describe('delete', () => {
        it('gives what the record was, and leaves nothing of it', async () => {
            const { tenantId, ada } = newPlaces();
            const created = await notes.create(tenantId, note('n1'));
            expect(await notes.delete(ada, 'n1', { outbox })).to.equal(created);
            expect(await notes.find(ada, 'n1')).to.be.null();
            expect(await written(tenantId)).to.equal([1, 1]);
            expect((await test.redis.keys(`${tenantKey(tenantId, 'x').slice(0, -1)}*`)).sort()).to.equal(
                outboxKeys(tenantId).sort(),
            );
        });

        it('frees its unique values', async () => {
            const { tenantId, ada } = newPlaces();
            await notes.create(tenantId, note('n1', { name: 'a', slug: 'a' }));
            await notes.delete(ada, 'n1');
            await notes.create(tenantId, note('n2', { name: 'a', slug: 'a' }));
            expect(await notes.findId(tenantId, 'name', 'a')).to.equal('n2');
        });

        it("deletes neither what is missing, nor somebody else's, nor another revision", async () => {
            const { tenantId, ada, bob } = newPlaces();
            const created = await notes.create(tenantId, note('n1'));
            expect(await codeOf(notes.delete(ada, 'n2', { outbox }))).to.equal('USER_NOT_FOUND');
            expect(await codeOf(notes.delete(bob, 'n1', { outbox }))).to.equal('USER_NOT_FOUND');
            expect(await codeOf(notes.delete(ada, 'n1', { revision: 2, outbox }))).to.equal('REVISION_MISMATCH');
            expect(await notes.get(ada, 'n1')).to.equal(created);
            expect(await written(tenantId)).to.equal([0, 0]);
            await notes.delete(ada, 'n1', { revision: 1 });
        });

        it('lets exactly one of many at once delete it', async () => {
            const { tenantId, ada } = newPlaces();
            await notes.create(tenantId, note('n1'));
            const all = Array.from({ length: 10 }, () => notes.delete(ada, 'n1', { outbox }));
            expect(await outcomes(all)).to.equal({ won: 1, codes: ['USER_NOT_FOUND'] });
            expect(await written(tenantId)).to.equal([1, 1]);
        });
    });

    describe('without owner, unique fields and orders', () => {
        const definition: CollectionDefinition<Note> = {
            name: 'settings',
            single: true,
            fields: { ownerId: 'text', name: 'text', slug: 'text', text: 'text', size: 'number' },
            notFound: 'TENANT_NOT_FOUND',
        };

        it('keeps the one record of a tenant under the name alone', async () => {
            const tenantId = newTenantId();
            const settings = new Collection<Note>(test.store, test.vault, definition);
            await settings.create(tenantId, note('s1'));
            const changed = await settings.update({ tenantId }, 's1', { size: 9 });
            expect(settings.key(tenantId, 's1')).to.equal(tenantKey(tenantId, 'settings'));
            expect(
                settings.decode(Object.entries(await test.redis.hgetall(settings.key(tenantId, 's1'))).flat()),
            ).to.equal(changed);
            await expect(settings.create(tenantId, note('s2'))).to.reject(RecordExistsError);
            expect(await settings.delete({ tenantId }, 's1')).to.equal(changed);
            expect(() => settings.orderKey({ tenantId }, 'created')).to.throw(TypeError, 'There is no order created');
        });
    });
});
