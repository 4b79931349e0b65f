import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { newKey } from '../../helpers/api-key.ts';
import { readAudit } from '../../helpers/audit.ts';
import { writeCatalogue } from '../../helpers/catalogue.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { setLimits } from '../../helpers/limits.ts';
import { startWithProvider } from '../../helpers/provider-keys.ts';
import { hold } from '../../helpers/provider.ts';
import { chunk, END } from '../../helpers/remote-model.ts';
import { answerWithSummaries, converse, summarizePath, summaryPath, summaryRequests } from '../../helpers/summary.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { messagesPath, newThread } from '../../helpers/thread.ts';
import { newUser } from '../../helpers/user.ts';

import type { TestApp } from '../../helpers/app.ts';
import type { Provider } from '../../helpers/provider.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

let app: TestApp;
let provider: Provider;
let ada: TestTenant;
let thread: string;

before(async () => {
    const models = [{ id: 'remote', provider: 'openai' }, { id: 'small', contextLength: 256 }, { id: 'sandbox' }];
    ({ app, provider } = await startWithProvider({
        config: { CATALOGUE_FILE: writeCatalogue(models), PROVIDER_KEYS_SHARED: { openai: 'shared-key' } },
    }));
});

beforeEach(async () => {
    answerWithSummaries(provider);
    provider.requests.length = 0;
    ada = await newTenant(app);
    thread = await newThread(ada);
});

after(async () => {
    await app.stop();
    await provider.stop();
});

const talk = (contents: string[], model = 'remote') => converse(ada, messagesPath(thread, model), contents);
const summarize = (model = 'remote') => ada.call('POST', summarizePath(thread, model));
const readThread = async () => (await ada.call('GET', `/api/threads/${thread}`)).body.data.thread;
const listed = async () => (await ada.call('GET', '/api/threads')).body.data.threads[0];
/** What the provider was asked last. */
const asked = (): { role: string; content: string }[] => provider.requests.at(-1)?.body.messages;
const summaryKeys = () => app.redis.keys(tenantKey(ada.tenantId, '*:summary'));
const eventsOf = async (type: string) => {
    const entries = await app.redis.xrange(tenantKey(ada.tenantId, 'events'), '-', '+');
    return entries.filter(([, fields]) => fields.includes(type));
};

describe('POST /api/threads/{threadId}/models/{modelId}/summarize', () => {
    it('has the model summarise the conversation, and answers with the summary', async () => {
        await talk(['First', 'Second']);
        const { status, body } = await summarize();
        expect(status).to.equal(200);
        const { generatedAt, ...rest } = body.data;
        expect(rest).to.equal({ summary: 'Summary 1', tokens: 3, modelUsed: 'remote' });
        expect(Date.parse(generatedAt)).to.be.within(Date.now() - 60_000, Date.now() + 1_000);
        const [request] = summaryRequests(provider);
        expect(request?.body.messages[1].content).to.equal(
            'Messages:\nuser: First\n\nassistant: Fine\n\nuser: Second\n\nassistant: Fine',
        );
        expect(request?.body.max_completion_tokens ?? request?.body.max_tokens).to.equal(700);
    });

    it('has the next call begin with the summary, after the system prompt, and its last messages', async () => {
        await ada.call('PATCH', '/api/profile', { payload: { settings: { systemPrompt: 'Be brief' } } });
        await talk(['One', 'Two', 'Three', 'Four']);
        await summarize();
        await talk(['Five']);
        await talk(['Six']);
        expect(asked().map(({ role, content }) => `${role}: ${content}`)).to.equal([
            'system: Be brief',
            'system: Summary of the conversation so far: Summary 1',
            'user: Three',
            'assistant: Fine',
            'user: Four',
            'assistant: Fine',
            'user: Five',
            'assistant: Fine',
            'user: Six',
        ]);
    });

    it('goes on from the summary there is with the messages since', async () => {
        await talk(['First']);
        await summarize();
        await talk(['Second']);
        expect((await summarize()).body.data.summary).to.equal('Summary 2');
        expect(summaryRequests(provider)[1]?.body.messages[1].content).to.equal(
            'Earlier summary:\nSummary 1\n\nMessages:\nuser: Second\n\nassistant: Fine',
        );
    });

    it('is shown with its model in the thread, and in a list for the model that was active last', async () => {
        await talk(['Hello']);
        expect(await readThread()).to.include({ summary: null });
        const { etag } = (await ada.call('GET', `/api/threads/${thread}`)).headers;
        const { generatedAt } = (await summarize()).body.data;
        const shown = await ada.call('GET', `/api/threads/${thread}`);
        expect(shown.headers.etag).to.not.equal(etag);
        const { summary, models } = shown.body.data.thread;
        expect(summary).to.equal('Summary 1');
        expect(models.remote).to.include({ messageCount: 2, summary: 'Summary 1', summaryUpdatedAt: generatedAt });
        expect(await listed()).to.include({ summary: 'Summary 1' });
        await talk(['Hello'], 'sandbox');
        expect((await readThread()).models.sandbox).to.include({ summary: null, summaryUpdatedAt: null });
        expect(await listed()).to.include({ summary: null });
        await talk(['Hello again']);
        expect(await listed()).to.include({ summary: 'Summary 1' });
    });

    it('of a model that is not the last one does not change what the list shows', async () => {
        await talk(['Hello']);
        await talk(['Hello'], 'sandbox');
        await summarize();
        expect(await listed()).to.include({ summary: null });
        await summarize('sandbox');
        expect((await listed()).summary).to.match(/^This is the sandbox model[^]*user: Hello/);
    });

    it('keeps the contexts of models apart', async () => {
        await talk(['A secret of remote']);
        await summarize();
        const { body } = await talk(['Hello'], 'sandbox');
        expect(body.data.assistantMessage.content).to.include('You sent 1 message(s)');
        expectError(await ada.call('GET', summaryPath(thread, 'sandbox')), 'SUMMARY_NOT_FOUND');
    });

    it('has nothing to do without a message, and when all are covered', async () => {
        expectError(await summarize(), 'NOTHING_TO_SUMMARIZE');
        await talk(['Hello']);
        expect((await summarize()).status).to.equal(200);
        expectError(await summarize(), 'NOTHING_TO_SUMMARIZE');
        expect(summaryRequests(provider)).to.have.length(1);
    });

    it('leaves a question that is being answered for the next one', async () => {
        await talk(['Hello']);
        const answering = hold();
        const question = app.call('POST', messagesPath(thread, 'remote'), {
            token: ada.accessToken,
            payload: { content: 'Later' },
        });
        provider.answer(() => ({ steps: [answering, chunk('Done'), END] }));
        await answering.reached;
        answerWithSummaries(provider);
        await summarize();
        expect(summaryRequests(provider)[0]?.body.messages[1].content).to.not.include('Later');
        answering.release();
        expect((await question).status).to.equal(200);
        await summarize();
        expect(summaryRequests(provider)[1]?.body.messages[1].content).to.include('user: Later\n\nassistant: Done');
    });

    it('is left out of an answer given anew that it tells of', async () => {
        const last = await talk(['First', 'Second']);
        await summarize();
        const { id } = last.body.data.assistantMessage;
        const again = await ada.call('POST', `${messagesPath(thread, 'remote')}/${id}/regenerate`, { payload: {} });
        expect(again.status).to.equal(200);
        expect(asked().map(({ content }) => content)).to.equal(['First', 'Fine', 'Second']);
    });

    it('is left out where a small model has no room for it', async () => {
        await talk(['Hello', 'And again'], 'small');
        expect(Number((await summarize('small')).body.data.tokens)).to.be.within(1, 64);
        const { body } = await talk([`Long ${'x'.repeat(600)}`], 'small');
        expect(body.data.assistantMessage.content).to.not.include('Summary of');
    });

    for (const [failure, answer, code] of [
        ['refuses', { status: 400, steps: ['{}'] }, 'PROVIDER_REFUSED'],
        ['says nothing', { steps: [END.replace('Fine', '')] }, 'PROVIDER_ERROR'],
        ['does not take the key', { status: 401, steps: ['{}'] }, 'PROVIDER_KEY_INVALID'],
    ] as const) {
        it(`fails when the provider ${failure}, and leaves all as it was`, async () => {
            await talk(['First']);
            await summarize();
            await talk(['Second']);
            provider.answer(() => ({ ...answer, steps: [...answer.steps] }));
            expectError(await summarize(), code);
            expect((await readThread()).summary).to.equal('Summary 1');
            answerWithSummaries(provider);
            expect((await summarize()).status).to.equal(200);
        });
    }

    it('is cut to 700 tokens, between two characters', async () => {
        await talk(['Hello']);
        provider.answer(() => ({ steps: [chunk(`a${'🌍'.repeat(1_000)}`), END] }));
        const { body } = await summarize();
        expect(body.data).to.include({ summary: `a${'🌍'.repeat(699)}`, tokens: 700 });
    });

    it('is told in the audit and to those who read events, with the user’s own key if that was used', async () => {
        await ada.call('POST', '/api/profile/api-keys', { payload: { openai: 'a-key-of-ada' } });
        await talk(['Hello']);
        const lastUsed = async () => (await ada.call('GET', '/api/profile')).body.data.user.apiKeys.openai.lastUsed;
        const before = Date.parse(await lastUsed());
        await app.advance(61_000);
        await summarize();
        expect(Date.parse(await lastUsed())).to.be.above(before);
        expect(summaryRequests(provider)[0]?.headers.authorization).to.equal('Bearer a-key-of-ada');
        const entry = (await readAudit(app, ada.tenantId)).find(({ action }) => action === 'thread.summarize');
        expect(entry).to.include({ resourceId: thread, userId: ada.userId, result: 'success' });
        expect(JSON.parse(entry?.details ?? '')).to.equal({ modelId: 'remote', providerKeys: ['openai'] });
        const [event, more] = await eventsOf('thread.summarized');
        expect(event?.[1].join()).to.include(thread).and.not.include('Summary 1');
        expect(more).to.not.exist();
    });

    it('takes one of the user’s places for generations', async () => {
        await talk(['Hello']);
        await setLimits(app, ada.tenantId, { concurrentGenerations: 0 });
        expectError(await summarize(), 'CONCURRENCY_LIMIT');
        expect(summaryRequests(provider)).to.be.empty();
        await setLimits(app, ada.tenantId, { concurrentGenerations: 1 });
        expect((await summarize()).status).to.equal(200);
        await talk(['And back']);
    });

    it('is limited to five a minute and user', () =>
        app.inNoTime(async () => {
            for (let n = 0; n < 5; n++) expectError(await summarize(), 'NOTHING_TO_SUMMARIZE');
            expectError(await summarize(), 'RATE_LIMITED');
        }));

    it('is made once by five at once, who all get it', async () => {
        await setLimits(app, ada.tenantId, { concurrentGenerations: 10 });
        await talk(['Hello']);
        const reached = hold();
        let begun = 0;
        provider.answer(() => {
            const number = ++begun;
            if (begun === 5) reached.release();
            return { steps: [reached, chunk(`Summary ${number}`), END] };
        });
        const answers = await Promise.all(Array.from({ length: 5 }, () => summarize()));
        expect(answers.map(({ status }) => status)).to.equal(Array<number>(5).fill(200));
        expect(new Set(answers.map(({ body }) => JSON.stringify(body.data))).size).to.equal(1);
        expect(await eventsOf('thread.summarized')).to.have.length(1);
    });

    it('is not found by anybody else, nor for a model or thread that does not exist', async () => {
        await talk(['Hello']);
        await summarize();
        const bob = await newUser(app, ada.tenantId, 'user');
        const mallory = await newTenant(app);
        for (const { call } of [bob, mallory]) {
            expectError(await call('POST', summarizePath(thread, 'remote')), 'THREAD_NOT_FOUND');
            expectError(await call('GET', summaryPath(thread, 'remote')), 'THREAD_NOT_FOUND');
            expectError(await call('DELETE', summaryPath(thread, 'remote')), 'THREAD_NOT_FOUND');
        }
        expectError(await summarize('none'), 'MODEL_NOT_FOUND');
        expectError(await ada.call('POST', summarizePath('x')), 'VALIDATION_ERROR');
        expect((await readThread()).summary).to.equal('Summary 1');
    });

    it('takes more than the permission to read', async () => {
        const { secret: token } = await newKey(ada, { scopes: ['thread:read'] });
        await talk(['Hello']);
        await summarize();
        expectError(await ada.call('POST', summarizePath(thread, 'remote'), { token }), 'FORBIDDEN');
        expectError(await ada.call('DELETE', summaryPath(thread, 'remote'), { token }), 'FORBIDDEN');
        expect((await ada.call('GET', summaryPath(thread, 'remote'), { token })).status).to.equal(200);
    });
});

describe('DELETE /api/threads/{threadId}/models/{modelId}/summary', () => {
    const remove = () => ada.call('DELETE', summaryPath(thread, 'remote'));

    it('has the next call begin with messages again', async () => {
        await talk(['One', 'Two', 'Three']);
        await summarize();
        expect((await ada.call('GET', summaryPath(thread, 'remote'))).body.data.summary).to.equal('Summary 1');
        expect((await remove()).body.data).to.equal({ deletedSummary: 'remote' });
        expectError(await ada.call('GET', summaryPath(thread, 'remote')), 'SUMMARY_NOT_FOUND');
        expectError(await remove(), 'SUMMARY_NOT_FOUND');
        expect(await readThread()).to.include({ summary: null });
        await talk(['Four']);
        expect(asked()[0]).to.equal({ role: 'user', content: 'One' });
        const entry = (await readAudit(app, ada.tenantId)).find(({ action }) => action === 'thread.summary_delete');
        expect(entry).to.include({ resourceId: thread, userId: ada.userId });
        expect(await eventsOf('thread.summary_deleted')).to.have.length(1);
    });

    it('is not undone by a summary that is made of the deleted one at that moment', async () => {
        await talk(['One']);
        await summarize();
        await talk(['Two']);
        const writing = hold();
        provider.answer(() => ({ steps: [writing, chunk('Too late'), END] }));
        const late = summarize();
        await writing.reached;
        expect((await remove()).status).to.equal(200);
        writing.release();
        expectError(await late, 'SUMMARY_NOT_FOUND');
        expect(await summaryKeys()).to.be.empty();
    });

    it('happens with the thread, also while a summary is made', async () => {
        await talk(['One']);
        await summarize();
        await talk(['Two']);
        expect(await summaryKeys()).to.have.length(1);
        const writing = hold();
        provider.answer(() => ({ steps: [writing, chunk('Too late'), END] }));
        const late = summarize();
        await writing.reached;
        await ada.call('DELETE', `/api/threads/${thread}`);
        expect(await summaryKeys()).to.be.empty();
        writing.release();
        expectError(await late, 'THREAD_NOT_FOUND');
        expect(await app.redis.keys(tenantKey(ada.tenantId, `*${thread}*`))).to.equal([]);
    });
});
