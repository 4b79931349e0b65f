import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { EventStore } from '../../../plugins/events/store.ts';
import { appendOutbox, type AppendOutbox } from '../../../src/redis/append-outbox.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { newTenantId, openStore, type TestStore } from '../../helpers/store.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

describe('the outbox, when an event is appended,', () => {
    let redis: TestRedis;
    let test: TestStore;
    let store: EventStore;
    let append: AppendOutbox;

    before(async () => {
        redis = await startRedis();
        test = await openStore(redis.path);
        store = new EventStore(test.store);
        append = appendOutbox(test.store);
        await append(newTenantId(), {});
    });

    after(async () => {
        await test.close();
        await redis.stop();
    });

    /** How often each command was run, also by scripts. */
    const commandsOf = async (tenantId: string, count: number): Promise<Record<string, number>> => {
        await test.redis.config('RESETSTAT');
        const events = Array.from({ length: count }, () => ({ type: 'thread.updated' as const, data: {} }));
        await append(tenantId, { events });
        const stats = await test.redis.info('commandstats');
        const calls = [...stats.matchAll(/cmdstat_(\w+):calls=(\d+)/g)];
        const all = Object.fromEntries(calls.map(([, name = '', times]) => [name, Number(times)]));
        for (const name of ['evalsha', 'config', 'info', 'get']) delete all[name];
        return all;
    };

    it('costs one look where nobody wants to know, however many events there are', async () => {
        const tenantId = newTenantId();
        expect(await commandsOf(tenantId, 1)).to.equal({ xadd: 1, exists: 1 });
        expect(await commandsOf(tenantId, 20)).to.equal({ xadd: 20, exists: 1 });
        expect(await commandsOf(tenantId, 0)).to.equal({});
    });

    it('tells the workers once where a consumer has subscribed, and nobody when it is over', async () => {
        const tenantId = newTenantId();
        await store.subscribe(tenantId, 'somebody');
        expect(await commandsOf(tenantId, 20)).to.equal({ xadd: 20, exists: 3, publish: 1 });
        expect(await commandsOf(newTenantId(), 1)).to.equal({ xadd: 1, exists: 1 });
        await store.unsubscribe(tenantId, 'somebody');
        expect(await commandsOf(tenantId, 1)).to.equal({ xadd: 1, exists: 1 });
    });

    it('tells those who listen, on the channel of the tenant', async () => {
        const tenantId = newTenantId();
        await test.redis.set(tenantKey(tenantId, 'events', 'listeners'), '1');
        expect(await commandsOf(tenantId, 20)).to.equal({ xadd: 20, exists: 3, publish: 1 });
    });
});
