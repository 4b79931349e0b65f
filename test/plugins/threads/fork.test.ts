import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { writeCatalogue } from '../../helpers/catalogue.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { setLimits } from '../../helpers/limits.ts';
import { addMessages, storesOf } from '../../helpers/many-threads.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { messagesPath, newThread } from '../../helpers/thread.ts';
import { newUser } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

interface Shown {
    id: string;
    threadId: string;
    role: string;
    content: string;
    replyTo: string | null;
}

const FORKED = 'thread_01K9ZQ4V7N8M3T5R2W6X1Y0ABC';

describe('POST /api/threads/{threadId}/fork', () => {
    let app: TestApp;
    let ada: TestTenant;
    let thread: string;

    before(async () => {
        const CATALOGUE_FILE = writeCatalogue([{ id: 'sandbox' }, { id: 'second' }]);
        app = await startApp({ config: { CATALOGUE_FILE, SANDBOX_TOKEN_DELAY_MS: 1 } });
    });

    beforeEach(async () => {
        ada = await newTenant(app);
        thread = await newThread(ada, 'Lisbon');
    });

    after(() => app.stop());

    const fork = (payload?: object, of = thread) => ada.call('POST', `/api/threads/${of}/fork`, { payload });
    const forked = async (payload?: object, of = thread) => {
        const answer = await fork(payload, of);
        expect(answer.status, answer.text).to.equal(201);
        return answer.body.data.thread;
    };
    const send = async (content: string, model = 'sandbox', to = thread) => {
        const { status, body } = await ada.call('POST', messagesPath(to, model), { payload: { content } });
        expect(status).to.equal(200);
        return body.data;
    };
    const messages = async (of: string, model = 'sandbox'): Promise<Shown[]> =>
        (await ada.call('GET', `${messagesPath(of, model)}?limit=200&order=asc`)).body.data.messages;
    const shown = async (of: string) => (await ada.call('GET', `/api/threads/${of}`)).body.data.thread;
    const entryIds = async (of: string) => {
        const key = tenantKey(ada.tenantId, 'thread', of, 'model', 'sandbox', 'messages');
        return (await app.redis.xrange(key, '-', '+')).map(([id]) => id);
    };
    /** The messages as they are there, but for the thread they say they are in. */
    const within = (found: Shown[], threadId: string) => found.map((message) => ({ ...message, threadId }));

    it('copies all contexts with everything that the thread shows of them', async () => {
        await send('One');
        await send('Two', 'second');
        await send('Three');
        const made = await forked();
        const source = await shown(thread);
        expect(made).to.include({ title: 'Lisbon (fork)', revision: 1, messageCount: 6 });
        expect(made.lastMessage).to.equal(source.lastMessage);
        expect(made.activeModels.toSorted()).to.equal(['sandbox', 'second']);
        for (const model of ['sandbox', 'second']) {
            const expected = within(await messages(thread, model), made.id);
            expect(expected.length).to.be.above(1);
            expect(await messages(made.id, model)).to.equal(expected);
            expect(made.models[model].messageCount).to.equal(expected.length);
            const { lastMessageAt } = source.models[model];
            expect(Math.abs(Date.parse(made.models[model].lastMessageAt) - Date.parse(lastMessageAt))).to.be.below(
                1_000,
            );
        }
        const { threads } = (await ada.call('GET', '/api/threads')).body.data;
        expect(threads[0]).to.equal(made);
        expect(threads.map(({ id }: Shown) => id)).to.equal([made.id, thread]);
    });

    it('is a thread of its own from then on', async () => {
        const { assistantMessage } = await send('One');
        const { id } = await forked();
        const path = `${messagesPath(id)}/${assistantMessage.id}`;
        expect((await ada.call('GET', path)).body.data.message).to.equal({ ...assistantMessage, threadId: id });
        expect((await ada.call('POST', `${path}/regenerate`)).status).to.equal(200);
        await send('Another way', 'sandbox', id);
        expect((await messages(thread)).map(({ id: own }) => own)).to.include(assistantMessage.id);
        expect(await messages(thread)).to.have.length(2);
        const order = await messages(id);
        expect(order.map(({ role }) => role)).to.equal(['user', 'assistant', 'user', 'assistant']);
        expect(order.map(({ content }) => content)).to.include('Another way');
        await ada.call('DELETE', `/api/threads/${thread}`);
        expect((await shown(id)).messageCount).to.equal(4);
        await ada.call('DELETE', `/api/threads/${id}`);
        expect(await app.redis.keys(tenantKey(ada.tenantId, 'thread', '*'))).to.equal([]);
    });

    it('copies one context alone, with the newest message of that', async () => {
        await send('One');
        await send('Two', 'second');
        const made = await forked({ modelId: 'sandbox' });
        expect(made).to.include({ messageCount: 2, activeModels: ['sandbox'] });
        expect(made.lastMessage).to.include({ model: 'sandbox', role: 'assistant' });
        expect(await messages(made.id)).to.equal(within(await messages(thread), made.id));
        expect(await messages(made.id, 'second')).to.equal([]);
    });

    it('copies up to a message, and of other contexts what was stored until then', async () => {
        await send('One');
        await send('Two', 'second');
        const { userMessage } = await send('Three');
        await send('Four', 'second');
        await send('Five');
        const all = await messages(thread);
        for (const payload of [
            { fromMessageId: userMessage.id },
            { fromMessageId: userMessage.id, modelId: 'sandbox' },
        ]) {
            const made = await forked(payload);
            expect(await messages(made.id)).to.equal(within(all.slice(0, 3), made.id));
            expect(await entryIds(made.id)).to.equal((await entryIds(thread)).slice(0, 3));
            const others = await messages(made.id, 'second');
            expect(others.map(({ role }) => role)).to.equal('modelId' in payload ? [] : ['user', 'assistant']);
            expect(made.messageCount).to.equal(3 + others.length);
            expect(made.lastMessage).to.equal({
                content: 'Three',
                role: 'user',
                model: 'sandbox',
                timestamp: userMessage.createdAt,
            });
        }
    });

    it('copies a thread and a context without a message', async () => {
        for (const payload of [undefined, {}, { modelId: 'second' }]) {
            const made = await forked(payload);
            expect(made).to.include({ messageCount: 0, activeModels: [], models: {}, lastMessage: null });
        }
        await send('One');
        const made = await forked({ modelId: 'second' });
        expect(made).to.include({ messageCount: 0, models: {}, lastMessage: null });
    });

    it('takes a title, or makes one that is not too long; and is found by it', async () => {
        expect((await forked({ title: ' Porto ' })).title).to.equal('Porto');
        const long = await newThread(ada, 'x'.repeat(200));
        expect((await forked({}, long)).title).to.equal(`${'x'.repeat(193)} (fork)`);
        const { body } = await ada.call('POST', '/api/threads');
        expect((await forked({}, body.data.thread.id)).title).to.be.null();
        const found = await ada.call('GET', '/api/threads?q=porto');
        expect(found.body.data.threads.map(({ title }: { title: string }) => title)).to.equal(['Porto']);
    });

    it('tells of it once, in the events and in the audit', async () => {
        await send('One');
        const { id } = await forked();
        const [event] = await app.redis.xrevrange(tenantKey(ada.tenantId, 'events'), '+', '-', 'COUNT', 1);
        const data = JSON.stringify({ threadId: id, userId: ada.userId });
        expect(event?.[1].slice(0, 4)).to.equal(['type', 'thread.created', 'data', data]);
        const entries = (await readAudit(app, ada.tenantId)).filter(({ action }) => action === 'thread.fork');
        expect(entries).to.have.length(1);
        expect(entries[0]).to.include({ resourceId: id, details: JSON.stringify({ from: thread }) });
    });

    it('refuses what is not there, and creates nothing', async () => {
        const { userMessage } = await send('One');
        expectError(await fork({}, FORKED), 'THREAD_NOT_FOUND');
        expectError(await fork({ modelId: 'none' }), 'MODEL_NOT_FOUND');
        for (const payload of [
            { fromMessageId: 'msg_01K9ZQ4V7N8M3T5R2W6X1Y0ABC' },
            { fromMessageId: userMessage.id, modelId: 'second' },
        ]) {
            expectError(await fork(payload), 'MESSAGE_NOT_FOUND');
        }
        expect((await ada.call('GET', '/api/threads')).body.pagination.totalCount).to.equal(1);
    });

    for (const payload of [
        { title: '' },
        { title: 'x'.repeat(201) },
        { fromMessageId: 'x' },
        { color: 'red' },
        { modelId: 5 },
    ]) {
        it(`refuses ${JSON.stringify(payload).slice(0, 30)}`, async () => {
            expectError(await fork(payload), 'VALIDATION_ERROR');
        });
    }

    it('does not find the thread of another user, of the same tenant or another', async () => {
        await send('A secret');
        const others = [await newUser(app, ada.tenantId, 'user'), await newTenant(app)];
        for (const { call } of others) {
            expectError(await call('POST', `/api/threads/${thread}/fork`), 'THREAD_NOT_FOUND');
            expect((await call('GET', '/api/threads')).body.pagination.totalCount).to.equal(0);
        }
    });

    it('is limited to ten a minute and user', () =>
        app.inNoTime(async () => {
            for (let n = 0; n < 10; n++) await forked();
            expectError(await fork(), 'RATE_LIMITED');
        }));

    it('copies whole messages, as they are stored, while some are sent', async () => {
        await setLimits(app, ada.tenantId, { concurrentGenerations: 10 });
        const sending = Promise.all(Array.from({ length: 10 }, (_, n) => send(`Message ${n}`)));
        const made = await Promise.all(
            Array.from({ length: 8 }, (_, n) => forked(n % 2 ? { modelId: 'sandbox' } : {})),
        );
        await sending;
        const all = within(await messages(thread), '');
        expect(all).to.have.length(20);
        for (const { id, messageCount, models, lastMessage } of made) {
            const copied = await messages(id);
            // What was there at one moment, and nothing of what came later.
            expect(within(copied, '')).to.equal(all.slice(0, copied.length));
            expect(messageCount).to.equal(copied.length);
            expect(models.sandbox?.messageCount ?? 0).to.equal(copied.length);
            expect(lastMessage?.content).to.equal(copied.at(-1)?.content.slice(0, 200));
        }
    });

    it('is there as a whole or not at all when the thread is deleted at the same time', async () => {
        await send('One');
        const answers = await Promise.all([
            fork(),
            fork(),
            ada.call('DELETE', `/api/threads/${thread}`),
            fork(),
            fork(),
        ]);
        for (const { status, body } of answers.toSpliced(2, 1)) {
            expect([201, 404]).to.include(status);
            if (status === 201) expect(await messages(body.data.thread.id)).to.have.length(2);
        }
        const made = answers.filter(({ status }) => status === 201).length;
        const keys = await app.redis.keys(tenantKey(ada.tenantId, 'thread', '*'));
        expect(keys).to.have.length(3 * made);
    });

    it('has the one answer or the other when that is given anew at the same time', async () => {
        const { assistantMessage } = await send('One');
        const path = `${messagesPath(thread)}/${assistantMessage.id}/regenerate`;
        const regenerating = ada.call('POST', path, { payload: {} });
        const made = [];
        for (let n = 0; n < 9; n++) made.push(await forked({ modelId: 'sandbox' }));
        expect((await regenerating).status).to.equal(200);
        const answers = [assistantMessage.id, (await messages(thread)).at(-1)?.id];
        for (const { id, lastMessage } of made) {
            const copied = await messages(id);
            expect(copied).to.have.length(2);
            expect(answers).to.include(copied[1]?.id);
            expect(lastMessage.content).to.equal(copied[1]?.content.slice(0, 200));
        }
    });

    it('creates nothing when the last message to be copied is gone by then', async () => {
        await send('One');
        const [entryId = ''] = await entryIds(thread);
        const { changes, draft, place } = storesOf(app, ada);
        const cut = { modelId: 'sandbox', entryId: '1-0' };
        expect(await changes.fork(place.tenantId, draft, { threadId: thread, cut }, {})).to.be.null();
        const good = { threadId: thread, cut: { modelId: 'sandbox', entryId } };
        expect((await ada.call('GET', '/api/threads')).body.pagination.totalCount).to.equal(1);
        expect((await changes.fork(place.tenantId, draft, good, {}))?.messageCount).to.equal(1);
    });

    describe('of many messages', () => {
        it('copies 10,000', async () => {
            const ids = await addMessages(app, ada, thread, 10_000);
            const made = await forked();
            expect(made.messageCount).to.equal(10_000);
            const newest = (await ada.call('GET', messagesPath(made.id))).body.data.messages;
            expect(newest[0].id).to.equal(ids.at(-1));
        });

        it('copies the newest 2,000 of more, and up to a message', async () => {
            const ids = await addMessages(app, ada, thread, 10_001);
            const copied = async (payload: object) => {
                const made = await forked(payload);
                expect(made.models.sandbox.messageCount).to.equal(2_000);
                const query = '?limit=1&order=';
                const oldest = await ada.call('GET', `${messagesPath(made.id)}${query}asc`);
                const newest = await ada.call('GET', `${messagesPath(made.id)}${query}desc`);
                return [oldest, newest].map(({ body }) => ids.indexOf(body.data.messages[0].id));
            };
            expect(await copied({})).to.equal([8_001, 10_000]);
            expect(await copied({ modelId: 'sandbox' })).to.equal([8_001, 10_000]);
            expect(await copied({ fromMessageId: ids[5_000] })).to.equal([3_001, 5_000]);
        });

        it('copies 3,000 of all contexts, as many of each', async () => {
            const models = ['sandbox', 'second', 'third', 'fourth'];
            for (const modelId of models) await addMessages(app, ada, thread, 3_000, { modelId });
            const made = await forked();
            expect(made.messageCount).to.equal(3_000);
            for (const model of models) expect(made.models[model].messageCount).to.equal(750);
        });
    });
});
