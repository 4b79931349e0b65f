import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { appendOutbox } from '../../../src/redis/append-outbox.ts';
import { startLoops } from '../../../src/worker.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { appendMany, Handed, newConsumer, until } from '../../helpers/events.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newThread } from '../../helpers/thread.ts';

import type { EventFeature, TenantEvent } from '../../../plugins/events/api.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

describe('the events feature', () => {
    let app: TestApp;
    let feature: EventFeature;
    let ada: TestTenant;

    before(async () => {
        app = await startApp({ isHeld: true });
        feature = app.server.plugins.events;
    });

    beforeEach(async () => {
        ada = await newTenant(app);
    });

    after(() => app.stop());

    const sinceOf = async (time: Date): Promise<TenantEvent[]> => {
        const all: TenantEvent[] = [];
        for await (const some of feature.since(ada.tenantId, time)) all.push(...some);
        return all;
    };

    it('begins with the worker, and hands over what a request has changed', async () => {
        const name = newConsumer();
        const handed = new Handed();
        feature.consume({ name, take: handed.take });
        expect(() => feature.consume({ name, take: handed.take })).to.throw(/two consumers/);
        startLoops(app.server);
        await feature.subscribe(ada.tenantId, name);
        const threadId = await newThread(ada);
        await until(() => handed.calls.length > 0, 'the event is handed over');
        const [{ tenantId, events } = { tenantId: '', events: [] }] = handed.calls;
        expect(tenantId).to.equal(ada.tenantId);
        expect(events.map(({ type, data }) => [type, data.threadId])).to.equal([['thread.created', threadId]]);
        await feature.unsubscribe(ada.tenantId, name);
        await newThread(ada);
        await sleep(50);
        expect(handed.ids(ada.tenantId)).to.have.length(1);
    });

    it('gives the events since a time, oldest first, and those of no other tenant', async () => {
        const all = await sinceOf(new Date(0));
        expect(all.map(({ type }) => type)).to.equal(['tenant.created', 'user.created']);
        await sleep(5);
        const time = new Date();
        await Promise.all([newThread(ada), newThread(await newTenant(app))]);
        await appendMany(appendOutbox(app.store), ada.tenantId, 250);
        const since = await sinceOf(time);
        expect(since[0]?.type).to.equal('thread.created');
        expect(since.slice(1).map(({ data }) => data.number)).to.equal(Array.from({ length: 250 }, (_, n) => n));
        expect(since.map(({ id }) => id)).to.equal(since.map(({ id }) => id).toSorted());
        expect(await sinceOf(new Date(Date.now() + 60_000))).to.equal([]);
        expect(await sinceOf(new Date(since[0]?.timestamp ?? 0))).to.equal(since);
    });
});
