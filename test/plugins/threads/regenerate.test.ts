import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startReplicas, type TestApp } from '../../helpers/app.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { setPlan } from '../../helpers/limits.ts';
import { cut, hold, startProvider, type Provider } from '../../helpers/provider.ts';
import { chunk, END, remoteModels } from '../../helpers/remote-model.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { messagesPath, newThread, parseEvents } from '../../helpers/thread.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

describe('POST /api/threads/{threadId}/models/{modelId}/messages/{messageId}/regenerate', () => {
    let provider: Provider;
    let one: TestApp;
    let two: TestApp;
    let ada: TestTenant;
    let thread: string;
    /** The last answer. */
    let old: { id: string; replyTo: string };

    before(async () => {
        provider = await startProvider();
        [one, two] = await startReplicas({ config: remoteModels(provider) });
    });

    beforeEach(async () => {
        ada = await newTenant(one);
        thread = await newThread(ada);
        await send('First', 'Fine');
        old = (await send('Second', 'Old')).body.data.assistantMessage;
        provider.requests.length = 0;
        provider.answer({ steps: [chunk('New'), END] });
    });

    after(async () => {
        await one.stop();
        await two.stop();
        await provider.stop();
    });

    const path = () => messagesPath(thread, 'remote');
    const send = (content: string, answer: string) => {
        provider.answer({ steps: [chunk(answer), END] });
        return ada.call('POST', path(), { payload: { content } });
    };
    const regenerate = (payload: object = {}, messageId = old.id, app = one, headers = {}) =>
        app.call('POST', `${path()}/${messageId}/regenerate`, { payload, token: ada.accessToken, headers });
    const contents = async () => {
        const { messages } = (await ada.call('GET', `${path()}?order=asc`)).body.data;
        return messages.map(({ content }: { content: string }) => content);
    };

    it('puts a new answer to the same question in the place of the old one', async () => {
        const { status, body } = await regenerate({ temperature: 0.1 });
        expect(status).to.equal(200);
        const { userMessage, assistantMessage } = body.data;
        expect(userMessage).to.include({ id: old.replyTo, content: 'Second' });
        expect(assistantMessage).to.include({ content: 'New', temperature: 0.1, replyTo: old.replyTo });
        expect(await contents()).to.equal(['First', 'Fine', 'Second', 'New']);
        const { thread: shown } = (await ada.call('GET', `/api/threads/${thread}`)).body.data;
        expect(shown).to.include({ messageCount: 4 });
        expect(shown.models.remote.messageCount).to.equal(4);
        expect(shown.lastMessage.content).to.equal('New');
        const asked = provider.requests[0]?.body.messages;
        expect(asked.map(({ content }: { content: string }) => content)).to.equal(['First', 'Fine', 'Second']);
    });

    it('sends the events of the new answer', async () => {
        const events = parseEvents((await regenerate({ stream: true })).text);
        expect(events.map(({ event }) => event)).to.equal(['message_start', 'token', 'message_complete', 'close']);
        expect(events[0]?.data.userMessageId).to.equal(old.replyTo);
    });

    it('keeps the old answer until the new one has ended, and when it fails', async () => {
        const point = hold();
        provider.answer({ steps: [chunk('Ne'), point, cut] });
        const answer = regenerate();
        await point.reached;
        expect(await contents()).to.equal(['First', 'Fine', 'Second', 'Old']);
        point.release();
        expectError(await answer, 'PROVIDER_ERROR');
        expect(await contents()).to.equal(['First', 'Fine', 'Second', 'Ne']);

        const [{ id }] = (await ada.call('GET', path())).body.data.messages;
        provider.answer({ status: 400, steps: ['{"error":{"message":"No"}}'] });
        expectError(await regenerate({}, id), 'PROVIDER_REFUSED');
        expect(await contents()).to.equal(['First', 'Fine', 'Second', 'Ne']);
    });

    it('is one new answer, of ten at once on two replicas', async () => {
        await setPlan(one, ada.tenantId, 'premium');
        const point = hold();
        provider.answer({ steps: [chunk('New'), point, END] });
        let refused = 0;
        const answers = Array.from({ length: 10 }, async (_, n) => {
            const answer = await regenerate({}, old.id, n % 2 === 0 ? one : two);
            if (answer.status !== 200) {
                expectError(answer, 'ANSWER_RUNNING');
                // The one that runs ends when all the others have been told.
                if (++refused === 9) point.release();
            }
            return answer.status;
        });
        const statuses = await Promise.all(answers);
        expect(statuses.filter((status) => status === 200)).to.have.length(1);
        expect(refused).to.equal(9);
        expect(await contents()).to.equal(['First', 'Fine', 'Second', 'New']);
        expect(provider.requests).to.have.length(1);
    });

    it('takes the last answer only', async () => {
        const { messages } = (await ada.call('GET', `${path()}?order=asc`)).body.data;
        expectError(await regenerate({}, messages[1].id), 'NOT_LAST_ANSWER');
        expectError(await regenerate({}, messages[2].id), 'NOT_LAST_ANSWER');
        expectError(await regenerate({}, 'msg_00000000000000000000000000'), 'MESSAGE_NOT_FOUND');
        expectError(await regenerate({ temperature: 'hot' }), 'VALIDATION_ERROR');
    });

    it('answers a repeat with the same Idempotency-Key as the first', async () => {
        const headers = { 'idempotency-key': 'again' };
        const first = await regenerate({}, old.id, one, headers);
        const second = await regenerate({}, old.id, two, headers);
        expect(second.body.data).to.equal(first.body.data);
        expect(provider.requests).to.have.length(1);
    });
});
