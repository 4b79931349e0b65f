import { randomBytes } from 'node:crypto';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { openTenantData } from '../../../../plugins/backups/data/index.ts';
import { tenantKey } from '../../../../src/redis/keys.ts';
import { aggregateReader } from '../../../../src/redis/stored-values.ts';
import { newTenantId, openStore, type TestStore } from '../../../helpers/store.ts';
import { newRestoreId, readAll, restore, told } from '../../../helpers/tenant-data.ts';

import type { TenantData } from '../../../../plugins/backups/api.ts';
import type { AggregateKind } from '../../../../src/redis/aggregate.ts';
import type { Datastore } from '../../../../src/redis/datastore.ts';

export const lab = Lab.script();
const { describe, it, before, after, beforeEach } = lab;

const PARTS = ['string', 'hash', 'list', 'set', 'zset', 'stream', 'emptied'];

/** Records of every type of key; those that there are stand in a set. */
const thingKind = (store: Datastore): AggregateKind => {
    const read = aggregateReader(store);
    return {
        kind: 'thing',
        component: 'config',
        async *ids(tenantId) {
            yield (await store.redis.smembers(tenantKey(tenantId, 'things'))).toSorted();
        },
        read: (tenantId, id) =>
            read(
                tenantId,
                'thing',
                id,
                PARTS.map((part) => tenantKey(tenantId, 'thing', id, part)),
            ),
        settled: (thing) => thing,
        indexes: ({ id }) => [{ key: ['by-id'], type: 'hash', field: id, value: '1' }],
        leftovers: () => Promise.resolve([]),
    };
};

describe('values of every type', () => {
    let opened: TestStore;
    let data: TenantData;
    let tenantId: string;

    before(async () => {
        opened = await openStore();
        // What expires does so by Redis' own clock.
        await opened.setTime(Date.now());
        const bound = () => Promise.resolve([]);
        data = openTenantData({ store: opened.store, kinds: [thingKind(opened.store)], bound, graceMs: 0 });
    });
    after(() => opened.close());
    beforeEach(async () => {
        tenantId = newTenantId();
        await opened.redis.hset(tenantKey(tenantId, 'info'), 'id', tenantId);
    });

    const keyOf = (id: string, part: string) => tenantKey(tenantId, 'thing', id, part);
    const bytes = Buffer.from([0, 255, 254, 10, 128]);

    async function newThing(id: string) {
        const { redis } = opened;
        await redis.sadd(tenantKey(tenantId, 'things'), id);
        await redis.set(keyOf(id, 'string'), bytes);
        await redis.hset(keyOf(id, 'hash'), { z: 'last', a: '', ü: 'Grüße \u{1F600}' });
        await redis.hset(keyOf(id, 'hash'), 'bytes', bytes);
        await redis.rpush(keyOf(id, 'list'), 'one', 'two', 'one', bytes);
        await redis.sadd(keyOf(id, 'set'), 'c', 'a', bytes, 'b');
        await redis.zadd(keyOf(id, 'zset'), 1.5, 'x', '-inf', 'y', 1_700_000_000_123, 'z');
        await redis.xadd(keyOf(id, 'stream'), '5-1', 'content', bytes, 'role', 'user');
        await redis.xadd(keyOf(id, 'stream'), '7-0', 'content', 'gone');
        await redis.xdel(keyOf(id, 'stream'), '7-0');
        await redis.xadd(keyOf(id, 'emptied'), '9-3', 'content', 'gone');
        await redis.xdel(keyOf(id, 'emptied'), '9-3');
    }
    const wipe = async () => {
        const keys = await opened.redis.keys(tenantKey(tenantId, '*'));
        await opened.redis.unlink(keys.filter((key) => !/:(info|things)$/.test(key)));
    };

    it('come back as they were, streams with the last id that they gave', async () => {
        await newThing('a');
        const all = await readAll(data, tenantId);
        expect(Object.keys(all[0]?.values ?? {}).length).to.equal(PARTS.length);
        await wipe();
        await restore(data, tenantId, all, ['config']);
        expect(await readAll(data, tenantId)).to.equal(all);
        const info = (await opened.redis.xinfo('STREAM', keyOf('a', 'emptied'))) as unknown[];
        expect(info[info.indexOf('last-generated-id') + 1]).to.equal('9-3');
        expect(await opened.redis.getBuffer(keyOf('a', 'string'))).to.equal(bytes);
        expect(await opened.redis.ttl(keyOf('a', 'hash'))).to.equal(-1);
    });

    it('are told alike in whatever order they were written', async () => {
        await newThing('a');
        const [first] = await readAll(data, tenantId);
        const { redis } = opened;
        const fields = await redis.hgetallBuffer(keyOf('a', 'hash'));
        await redis.unlink(keyOf('a', 'hash'));
        for (const [name, value] of Object.entries(fields).toReversed())
            await redis.hset(keyOf('a', 'hash'), name, value);
        const members = await redis.smembersBuffer(keyOf('a', 'set'));
        await redis.unlink(keyOf('a', 'set'));
        for (const member of members.toReversed()) await redis.sadd(keyOf('a', 'set'), member);
        expect(JSON.stringify((await readAll(data, tenantId))[0])).to.equal(JSON.stringify(first));
    });

    it('may be larger than one step takes', async () => {
        const { redis } = opened;
        await newThing('a');
        const wide = Object.fromEntries(Array.from({ length: 12_000 }, (_, n) => [`field-${n}`, String(n)]));
        await redis.hset(keyOf('a', 'hash'), wide);
        for (let n = 0; n < 40; n++) {
            await redis.xadd(keyOf('a', 'stream'), '*', 'content', randomBytes(60_000).toString('base64'));
        }
        const all = await readAll(data, tenantId);
        await restore(data, tenantId, all, ['config']);
        expect(JSON.stringify(await readAll(data, tenantId)) === JSON.stringify(all)).to.be.true();
    });

    it('stand beside the tenant’s own until they are swapped in, and expire', async () => {
        await newThing('a');
        const all = await readAll(data, tenantId);
        await wipe();
        await opened.redis.del(tenantKey(tenantId, 'things'));
        const restoreId = newRestoreId();
        await data.stage(tenantId, restoreId, told(all));
        expect(await readAll(data, tenantId)).to.equal([]);
        const staged = await opened.redis.keys(tenantKey(tenantId, 'restore', restoreId, '*'));
        expect(staged.length).to.be.above(PARTS.length);
        for (const key of [...staged, tenantKey(tenantId, 'restore', restoreId)]) {
            expect(await opened.redis.ttl(key), key).to.be.within(1, 86_400);
        }
        await data.discard(tenantId, restoreId);
        expect(await opened.redis.keys(tenantKey(tenantId, 'restore', restoreId, '*'))).to.equal([]);
    });

    it('are staged anew when it is begun again, by whomever begins last', async () => {
        await newThing('a');
        await newThing('b');
        const all = await readAll(data, tenantId);
        const restoreId = newRestoreId();
        let go: () => void = () => undefined;
        const gate = new Promise<void>((resolve) => (go = resolve));
        const slow = async function* () {
            yield* all.slice(0, 1);
            await gate;
            yield* all.slice(1);
        };
        const first = data.stage(tenantId, restoreId, slow()).then(
            () => null,
            (error: { data: { code: string } }) => error.data.code,
        );
        await data.stage(tenantId, restoreId, told(all.slice(1)));
        go();
        expect(await first).to.equal('INVALID_STATE');
        await data.swap(tenantId, restoreId, ['config']);
        expect(await readAll(data, tenantId)).to.equal(all.slice(1));
        expect(await opened.redis.hkeys(tenantKey(tenantId, 'by-id'))).to.equal(['b']);
    });

    it('are not swapped in when what was staged is about to expire', async () => {
        await newThing('a');
        const all = await readAll(data, tenantId);
        const restoreId = newRestoreId();
        await data.stage(tenantId, restoreId, told(all));
        await opened.setTime(Date.now() + 23.5 * 3_600_000);
        await expect(data.swap(tenantId, restoreId, ['config'])).to.reject();
        expect(await opened.redis.hexists(tenantKey(tenantId, 'info'), 'restoring')).to.equal(0);
        expect(await readAll(data, tenantId)).to.equal(all);
    });
});
