import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../helpers/app.ts';
import { writeCatalogue } from '../../helpers/catalogue.ts';
import { setPlan } from '../../helpers/limits.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { messagesPath, newThread } from '../../helpers/thread.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

let app: TestApp;
let ada: TestTenant;
let mallory: TestTenant;
let thread: string;

before(async () => {
    const file = writeCatalogue([
        { id: 'sandbox', aliases: ['box'] },
        { id: 'other' },
        { id: 'small', contextLength: 1_000 },
        { id: 'plain', parameters: { temperature: false } },
        { id: 'remote', provider: 'openai' },
    ]);
    app = await startApp({ config: { CATALOGUE_FILE: file } });
});

beforeEach(async () => {
    ada = await newTenant(app);
    mallory = await newTenant(app);
    thread = await newThread(ada);
});

after(() => app.stop());

const send = (content: string, model = 'sandbox', more: object = {}) =>
    ada.call('POST', messagesPath(thread, model), { payload: { content, ...more } });

const countMessages = async () =>
    Number((await ada.call('GET', `/api/threads/${thread}`)).body.data.thread.messageCount);

describe('POST /api/threads/{threadId}/models/{modelId}/messages', () => {
    it('answers with both messages', async () => {
        const { status, body } = await send('Hello', 'sandbox', { temperature: 0.2 });
        expect(status).to.equal(200);
        const { userMessage, assistantMessage } = body.data;
        expect(userMessage).to.include({ role: 'user', content: 'Hello', status: 'complete', threadId: thread });
        expect(assistantMessage).to.include({
            role: 'assistant',
            status: 'complete',
            temperature: 0.2,
            finishReason: 'stop',
            replyTo: userMessage.id,
            modelId: 'sandbox',
        });
        const asked = Date.parse(userMessage.createdAt);
        expect(Date.parse(assistantMessage.createdAt)).to.be.at.least(asked);
        expect(String(assistantMessage.content)).to.endWith('the last one says: Hello');
        expect(assistantMessage.tokens).to.equal(assistantMessage.usage.output);
        expect(Number(assistantMessage.tokens)).to.be.above(0);
    });

    it('gives the model what was said before', async () => {
        await send('One');
        const { body } = await send('Two');
        expect(body.data.assistantMessage.content).to.contain('You sent 3 message(s)');
    });

    it('keeps the contexts of two models apart', async () => {
        await send('One');
        const { body } = await send('Two', 'other');
        expect(body.data.assistantMessage.content).to.contain('You sent 1 message(s)');
        const { data } = (await ada.call('GET', `/api/threads/${thread}`)).body;
        expect(data.thread.activeModels).to.only.include(['sandbox', 'other']);
        expect(data.thread.messageCount).to.equal(4);
    });

    it('takes an alias for the model that it stands for', async () => {
        const { body } = await send('Hello', 'box');
        expect(body.data.assistantMessage.modelId).to.equal('sandbox');
    });

    it('leaves out a parameter that the model does not take, and says so', async () => {
        const { status, body } = await send('Hello', 'plain', { temperature: 0.5 });
        expect(status).to.equal(200);
        expect(body.data.details.ignoredParameters).to.equal(['temperature']);
        expect(body.data.assistantMessage.temperature).to.be.null();
    });

    for (const [what, model, payload] of [
        ['no content', 'sandbox', {}],
        ['empty content', 'sandbox', { content: '  ' }],
        ['content of another type', 'sandbox', { content: 7 }],
        ['an unknown field', 'sandbox', { content: 'Hello', top_p: 1 }],
        ['a temperature past every range', 'sandbox', { content: 'Hello', temperature: 3 }],
        ['a temperature past the range of the model', 'sandbox', { content: 'Hello', temperature: 1.5 }],
    ] as const) {
        it(`refuses ${what} and stores nothing`, async () => {
            const { status, body } = await ada.call('POST', messagesPath(thread, model), { payload });
            expect([status, body.error.code]).to.equal([400, 'VALIDATION_ERROR']);
            expect(body.error.details.fields).to.not.be.empty();
            expect(await countMessages()).to.equal(0);
        });
    }

    it('refuses a message of more than 10,000 tokens, or more than the model takes', async () => {
        for (const [model, length, limit] of [
            ['sandbox', 40_001, 10_000],
            ['small', 3_004, 750],
        ] as const) {
            const { status, body } = await send('x'.repeat(length), model);
            expect([status, body.error.code]).to.equal([413, 'MESSAGE_TOO_LONG']);
            expect(body.error.details.limit).to.equal(limit);
        }
        expect(await countMessages()).to.equal(0);
    });

    it('does not know a model that is not in the catalogue', async () => {
        const { status, body } = await send('Hello', 'gpt-1');
        expect([status, body.error.code]).to.equal([404, 'MODEL_NOT_FOUND']);
    });

    it('refuses a model whose provider has no key', async () => {
        const { status, body } = await send('Hello', 'remote');
        expect([status, body.error.code]).to.equal([422, 'PROVIDER_KEY_MISSING']);
        expect(await countMessages()).to.equal(0);
    });

    it('does not find another tenant’s thread and stores nothing', async () => {
        const { status, body } = await mallory.call('POST', messagesPath(thread), { payload: { content: 'Hello' } });
        expect([status, body.error.code]).to.equal([404, 'THREAD_NOT_FOUND']);
        expect(await countMessages()).to.equal(0);
    });

    it('counts every message of several that are sent at once', async () => {
        await setPlan(app, ada.tenantId, 'premium');
        const answers = await Promise.all(Array.from({ length: 8 }, (_, n) => send(`Message ${n}`)));
        expect(answers.map(({ status }) => status)).to.equal(Array<number>(8).fill(200));
        expect(await countMessages()).to.equal(16);
    });

    it('is refused while the process drains', async () => {
        const draining = await startApp();
        const tenant = await newTenant(draining);
        const id = await newThread(tenant);
        draining.drain.begin();
        const { status, body } = await tenant.call('POST', messagesPath(id), { payload: { content: 'Hello' } });
        expect([status, body.error.code]).to.equal([503, 'SHUTTING_DOWN']);
        await draining.stop();
    });

    it('writes an audit entry for the message, and no text of it', async () => {
        await send('A very secret sentence');
        const audit = await app.redis.xrevrange(`tenant:{${ada.tenantId}}:audit`, '+', '-', 'COUNT', 1);
        expect(audit[0]?.[1]).to.include(['action', 'message.send']);
        const events = await app.redis.xrange(`tenant:{${ada.tenantId}}:events`, '-', '+');
        expect(events.flatMap(([, fields]) => fields)).to.include(['message.created', 'message.complete']);
        const told = JSON.stringify([audit, events, app.logs]);
        expect(told).to.not.contain('secret sentence');
    });
});

describe('GET /api/threads/{threadId}/models/{modelId}/messages', () => {
    const list = (query = '', model = 'sandbox') => ada.call('GET', `${messagesPath(thread, model)}${query}`);
    const contents = (body: { data: { messages: { content: string; role: string }[] } }) =>
        body.data.messages.filter(({ role }) => role === 'user').map(({ content }) => content);

    it('lists the newest first, or the oldest', async () => {
        for (const content of ['One', 'Two', 'Three']) await send(content);
        expect(contents((await list()).body)).to.equal(['Three', 'Two', 'One']);
        expect(contents((await list('?order=asc')).body)).to.equal(['One', 'Two', 'Three']);
    });

    it('gives each message once, page by page', async () => {
        for (const content of ['One', 'Two', 'Three']) await send(content);
        for (const order of ['asc', 'desc']) {
            const seen: string[] = [];
            let cursor: string | null = '';
            while (cursor !== null) {
                const { body } = await list(`?limit=2&order=${order}${cursor && `&cursor=${cursor}`}`);
                seen.push(...body.data.messages.map(({ id }: { id: string }) => id));
                expect(body.pagination.totalCount).to.equal(6);
                cursor = body.pagination.cursor;
            }
            expect(new Set(seen).size).to.equal(6);
            expect(seen.length).to.equal(6);
        }
    });

    it('shows a model’s own messages only', async () => {
        await send('One');
        expect((await list('', 'other')).body.data.messages).to.equal([]);
    });

    it('refuses a cursor of another list', async () => {
        for (const content of ['One', 'Two']) await send(content);
        const { cursor } = (await list('?limit=1')).body.pagination;
        for (const answer of [await list(`?limit=1&cursor=${cursor}`, 'other'), await list('?cursor=x')]) {
            expect([answer.status, answer.body.error.code]).to.equal([400, 'INVALID_CURSOR']);
        }
    });

    it('does not find another tenant’s thread', async () => {
        const { status, body } = await mallory.call('GET', messagesPath(thread));
        expect([status, body.error.code]).to.equal([404, 'THREAD_NOT_FOUND']);
    });

    it('refuses a page of more than 200', async () => {
        expect((await list('?limit=201')).body.error.code).to.equal('VALIDATION_ERROR');
        expect((await list('?limit=200')).status).to.equal(200);
    });
});
