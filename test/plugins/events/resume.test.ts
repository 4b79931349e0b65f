import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { eventId } from '../../../plugins/events/event-id.ts';
import { appendOutbox } from '../../../src/redis/append-outbox.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { startReplicas, type TestApp } from '../../helpers/app.ts';
import { appendMany } from '../../helpers/events.ts';
import { resumeStream, type OpenStream } from '../../helpers/stream.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newThread } from '../../helpers/thread.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, afterEach, after } = lab;

/** Read in one visit. */
const MOST = 120;

describe('GET /api/events/stream, once more,', () => {
    let apps: [TestApp, TestApp];
    let ada: TestTenant;
    let opened: OpenStream[];

    before(async () => {
        apps = await startReplicas({ listen: true });
    });

    beforeEach(async () => {
        ada = await newTenant(apps[0]);
        opened = [];
    });

    afterEach(() => {
        for (const stream of opened) stream.leave();
    });

    after(() => Promise.all(apps.map((app) => app.stop())));

    const open = async (lastEventId?: string, n = 0): Promise<OpenStream> => {
        const url = `${(apps[n] ?? apps[0]).server.info.uri}/api/events/stream`;
        // A place is free again only when the server has noticed that the stream before was left.
        for (;;) {
            const stream = await resumeStream(url, ada.accessToken, lastEventId);
            if (stream.status !== 429) {
                opened.push(stream);
                return stream;
            }
            await sleep(10);
        }
    };
    const stored = async (): Promise<string[]> => {
        const entries = await apps[0].redis.xrange(tenantKey(ada.tenantId, 'events'), '-', '+');
        return entries.map(([id]) => eventId(ada.tenantId, id));
    };

    it('misses nothing and gives nothing twice, with many writers and a reader that comes and goes', async () => {
        const before = (await stored()).length;
        const [first] = await (await open()).until(() => true);
        const writers = Promise.all(
            Array.from({ length: 8 }, async (_, n) => {
                const append = appendOutbox((apps[n % 2] ?? apps[0]).store);
                for (let times = 0; times < 60; times++) {
                    await appendMany(append, ada.tenantId, randomInt(1, 4));
                    if (times % 3 === 0) await sleep(randomInt(1, 8));
                }
            }),
        );
        // A reader who waits for as many as it may be does not wait in vain for the last ones.
        const writing = writers.then(() => appendMany(appendOutbox(apps[0].store), ada.tenantId, MOST));
        let isWritten = false;
        void writing.then(() => (isWritten = true));
        const got: string[] = [];
        let last = first?.id;
        let visits = 0;
        for (let all: string[] = []; all.length === 0 || got.length < all.length - before; visits++) {
            const stream = await open(last, visits % 2);
            const most = randomInt(2, MOST);
            let count = 0;
            const wasWritten = isWritten;
            if (wasWritten) all = await stored();
            const left = wasWritten ? all.length - before - got.length : most;
            const events = await stream.until(() => ++count > Math.min(most, left));
            stream.leave();
            expect([events[0]?.event, events[0]?.id]).to.equal(['ready', last]);
            got.push(...events.slice(1).map(({ id }) => id));
            last = got.at(-1) ?? last;
        }
        await writing;
        expect(got).to.equal((await stored()).slice(before));
        expect(visits).to.be.above(3);
    });

    it('goes on from `ready` for a client that was told nothing yet', async () => {
        const stream = await open();
        const [ready] = await stream.until(() => true);
        stream.leave();
        const threadId = await newThread(ada);
        const again = await open(ready?.id, 1);
        const events = await again.until(({ event }) => event === 'thread.created');
        expect(events.map(({ event, data }) => data.data?.threadId ?? event)).to.equal(['ready', threadId]);
    });

    it('gives what is kept, and says first that events are lost, after one that is not kept any more', async () => {
        await appendMany(appendOutbox(apps[0].store), ada.tenantId, 20);
        const all = await stored();
        await apps[0].redis.xtrim(tenantKey(ada.tenantId, 'events'), 'MAXLEN', 5);
        const stream = await open(all[3]);
        const events = await stream.until(({ id }) => id === all.at(-1));
        expect(events.map(({ event }) => event)).to.equal(['events_lost', ...Array(5).fill('thread.updated')]);
        expect(events.slice(1).map(({ id }) => id)).to.equal(all.slice(-5));
        const rest = await (await open(all.at(-5))).until(({ id }) => id === all.at(-1));
        expect(rest.map(({ event }) => event)).to.equal(['ready', ...Array(4).fill('thread.updated')]);
        // One that was seen before the store lost it: there is no telling what else it lost.
        const future = eventId(ada.tenantId, `${Date.now() + 3_600_000}-0`);
        const [told] = await (await open(future)).until(() => true);
        expect([told?.event, told?.id]).to.equal(['events_lost', all.at(-1)]);
    });
});
