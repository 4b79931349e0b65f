import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { appendOutbox } from '../../../src/redis/append-outbox.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { audited, outboxKeys, outboxLists, type EventEntry } from '../../../src/redis/outbox.ts';
import { newTenantId, NOON, openStore, type TestStore } from '../../helpers/store.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const caller = { requestId: 'req_1', ipAddress: '10.0.0.1', userAgent: 'test' };
const entry = { action: 'thread.create', resource: 'thread', resourceId: 'thread_1', result: 'success' };
const WEEK_MS = 7 * 24 * 3600 * 1000;

describe('audited', () => {
    it('adds where the request came from, and whose it is and by which key, where that is known', () => {
        const from = { ipAddress: '10.0.0.1', userAgent: 'test', correlationId: 'req_1' };
        expect(audited(caller, entry)).to.equal({ ...entry, ...from });
        expect(audited({ ...caller, userId: 'user_1' }, entry)).to.equal({ userId: 'user_1', ...entry, ...from });
        const keyed = { ...caller, userId: 'user_1', keyId: 'key_1' };
        expect(audited(keyed, entry)).to.equal({ userId: 'user_1', keyId: 'key_1', ...entry, ...from });
        expect(audited({ ...caller, userId: 'user_1' }, { ...entry, userId: 'user_2' }).userId).to.equal('user_2');
    });
});

describe('outboxLists', () => {
    it('makes every entry a flat list of texts, without what is undefined', () => {
        const events: EventEntry[] = [{ type: 'thread.created', data: { threadId: 'thread_1', size: 1 } }];
        const audit = [{ ...entry, userId: undefined, details: { reason: null } } as never];
        expect(outboxLists({ events, audit })).to.equal({
            events: [['type', 'thread.created', 'data', '{"threadId":"thread_1","size":1}']],
            audit: [[...Object.entries(entry).flat(), 'details', '{"reason":null}']],
        });
        expect(outboxLists({})).to.equal({ events: [], audit: [] });
    });

    it('says of an event which request has caused it, by what is audited beside it or by its own word', () => {
        const event: EventEntry = { type: 'thread.created', data: {} };
        const plain = ['type', 'thread.created', 'data', '{}'];
        const audit = [entry, audited(caller, entry)];
        expect(outboxLists({ events: [event], audit }).events).to.equal([[...plain, 'requestId', 'req_1']]);
        const own = { ...event, requestId: 'req_2' };
        expect(outboxLists({ events: [own], audit }).events).to.equal([[...plain, 'requestId', 'req_2']]);
        expect(outboxLists({ events: [own] }).events).to.equal([[...plain, 'requestId', 'req_2']]);
        expect(outboxLists({ events: [event], audit: [entry] }).events).to.equal([plain]);
    });
});

describe('appendOutbox', () => {
    let test: TestStore;

    before(async () => {
        test = await openStore();
    });

    after(() => test.close());

    it('appends to the two streams of the tenant, and of no other', async () => {
        const [tenantId, other] = [newTenantId(), newTenantId()];
        const append = appendOutbox(test.store);
        const events = (['thread.created', 'thread.deleted'] as const).map((type) => ({ type, data: { tenantId } }));
        await append(tenantId, { events, audit: [entry] });
        const [eventsKey, auditKey] = outboxKeys(tenantId);
        expect([eventsKey, auditKey]).to.equal([tenantKey(tenantId, 'events'), tenantKey(tenantId, 'audit')]);
        const written = await test.redis.xrange(eventsKey, '-', '+');
        expect(written.map(([, fields]) => fields)).to.equal([
            ['type', 'thread.created', 'data', JSON.stringify({ tenantId })],
            ['type', 'thread.deleted', 'data', JSON.stringify({ tenantId })],
        ]);
        expect((await test.redis.xrange(auditKey, '-', '+')).map(([, fields]) => fields)).to.equal([
            Object.entries(entry).flat(),
        ]);
        expect(await test.redis.exists(...outboxKeys(other))).to.equal(0);
    });

    it('appends nothing where there is nothing', async () => {
        const tenantId = newTenantId();
        await appendOutbox(test.store)(tenantId, {});
        expect(await test.redis.exists(...outboxKeys(tenantId))).to.equal(0);
    });

    it('lets go of events that are older than a week, and of no audit entry', async () => {
        const tenantId = newTenantId();
        const append = appendOutbox(test.store);
        const [eventsKey, auditKey] = outboxKeys(tenantId);
        // Redis trims whole nodes of 100 entries only.
        const many = Array.from({ length: 250 }, (_, number) => number);
        const events = many.map((number): EventEntry => ({ type: 'thread.updated', data: { number } }));
        await append(tenantId, { events, audit: many.map(() => entry) });
        await test.setTime(Date.now() + WEEK_MS - 60_000);
        await append(tenantId, { events: [{ type: 'thread.created', data: {} }] });
        expect(await test.redis.xlen(eventsKey)).to.equal(251);
        await test.setTime(Date.now() + WEEK_MS + 60_000);
        await append(tenantId, { events: [{ type: 'thread.deleted', data: {} }] });
        expect(await test.redis.xlen(eventsKey)).to.be.below(100);
        expect(await test.redis.xlen(auditKey)).to.equal(250);
        await test.setTime(NOON);
    });
});
