import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startReplicas, type TestApp } from '../../helpers/app.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { hold, startProvider, type Provider } from '../../helpers/provider.ts';
import { chunk, END, remoteModels } from '../../helpers/remote-model.ts';
import { openStream } from '../../helpers/stream.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { messagesPath, newThread, type ReceivedEvent } from '../../helpers/thread.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const isToken = ({ event }: ReceivedEvent): boolean => event === 'token';

describe('an answer that is not wanted any more', () => {
    let provider: Provider;
    let one: TestApp;
    let two: TestApp;
    let ada: TestTenant;
    let thread: string;

    before(async () => {
        provider = await startProvider();
        [one, two] = await startReplicas({ listen: true, config: remoteModels(provider) });
    });

    beforeEach(async () => {
        ada = await newTenant(one);
        thread = await newThread(ada);
        provider.requests.length = 0;
        provider.answer({ steps: [chunk('One'), hold(), END] });
    });

    after(async () => {
        await one.stop();
        await two.stop();
        await provider.stop();
    });

    const path = () => messagesPath(thread, 'remote');
    const open = (payload: object = {}) =>
        openStream({
            url: `${one.server.info.uri}${path()}`,
            token: ada.accessToken,
            payload: { content: 'Hello', ...payload },
        });
    const stored = async () => (await ada.call('GET', path())).body.data.messages;
    const untilStored = async (count: number) => {
        for (;;) {
            const messages = await stored();
            if (messages.length === count && messages[0].status !== 'generating') return messages;
        }
    };
    /** An answer of which the client has the first token. */
    const begun = async (payload?: object) => {
        const stream = await open(payload);
        const [{ data }] = (await stream.until(isToken)) as [ReceivedEvent];
        return { stream, messageId: String(data.messageId) };
    };
    const cancel = (app: TestApp, messageId: string, token = ada.accessToken) =>
        app.call('POST', `${path()}/${messageId}/cancel`, { token });

    for (const [where, at] of [
        ['the replica that writes it', () => one],
        ['another replica', () => two],
    ] as const) {
        it(`is cancelled at ${where}: the provider is stopped, and what came is kept`, async () => {
            const { stream, messageId } = await begun();
            const { status, body } = await cancel(at(), messageId);
            await provider.requests[0]?.aborted;
            expect(status).to.equal(200);
            expect(body.data.message).to.include({ status: 'cancelled', content: 'One', finishReason: 'cancelled' });
            expect(body.data.message.usage).to.include({ output: 1, isEstimated: true });
            const events = await stream.rest();
            expect(events.map(({ event }) => event)).to.equal(['message_start', 'token', 'message_complete', 'close']);
            expect(events.at(-2)?.data).to.include({ status: 'cancelled', finishReason: 'cancelled', totalTokens: 1 });
            expect((await stored())[0]).to.equal(body.data.message);
        });
    }

    it('is cancelled before its first token, for a client that waits for the whole', async () => {
        const point = hold();
        provider.answer({ steps: [point, chunk('Late'), END] });
        const sending = ada.call('POST', path(), { payload: { content: 'Hello' } });
        await point.reached;
        const [key = ''] = await one.redis.keys(`tenant:{${ada.tenantId}}:generation:msg_*`);
        await cancel(two, key.split(':').at(-1) ?? '');
        const { status, body } = await sending;
        expect(status).to.equal(200);
        expect(body.data.assistantMessage).to.include({ status: 'cancelled', content: '' });
    });

    it('may be cancelled again, by ten at once, and is cancelled once', async () => {
        const { stream, messageId } = await begun();
        const answers = await Promise.all(
            Array.from({ length: 10 }, (_, n) => cancel(n % 2 === 0 ? one : two, messageId)),
        );
        for (const { status, body } of answers) {
            expect([status, body.data.message.status]).to.equal([200, 'cancelled']);
        }
        expect((await stream.rest()).filter(({ event }) => event === 'message_complete')).to.have.length(1);
        expect(await stored()).to.have.length(2);
    });

    it('cannot be cancelled when it has ended by itself', async () => {
        provider.answer({ steps: [chunk('Fine'), END] });
        const { body } = await ada.call('POST', path(), { payload: { content: 'Hello' } });
        expectError(await cancel(two, body.data.assistantMessage.id), 'ANSWER_ENDED');
        expectError(await cancel(two, 'msg_00000000000000000000000000'), 'MESSAGE_NOT_FOUND');
        expect((await stored())[0]).to.include({ status: 'complete', content: 'Fine' });
    });

    it('is cancelled by nobody else', async () => {
        const { stream, messageId } = await begun();
        const eve = await newTenant(two);
        expectError(await cancel(two, messageId, eve.accessToken), 'THREAD_NOT_FOUND');
        expect(provider.requests[0]?.isAborted).to.be.false();
        await cancel(one, messageId);
        await stream.rest();
    });

    it('ends with its last client where the request says so', async () => {
        const { stream, messageId } = await begun({ onDisconnect: 'cancel' });
        stream.leave();
        await provider.requests[0]?.aborted;
        const [answer] = await untilStored(2);
        expect(answer).to.include({ id: messageId, status: 'cancelled', content: 'One' });
    });

    it('goes on without its client otherwise', async () => {
        const rest = hold();
        provider.answer({ steps: [chunk('One'), rest, chunk(' two'), END] });
        const { stream } = await begun();
        stream.leave();
        rest.release();
        const [answer] = await untilStored(2);
        expect(answer).to.include({ status: 'complete', content: 'One two' });
        expect(provider.requests[0]?.isAborted).to.be.false();
    });

    it('leaves nothing to be looked after when it was refused', async () => {
        const running = await Promise.all([begun(), begun(), begun()]);
        expectError(await ada.call('POST', path(), { payload: { content: 'One too many' } }), 'CONCURRENCY_LIMIT');
        const nowhere = messagesPath('thread_00000000000000000000000000', 'remote');
        await cancel(one, running[0]?.messageId ?? '');
        expectError(await ada.call('POST', nowhere, { payload: { content: 'Hello' } }), 'THREAD_NOT_FOUND');
        const held = async () =>
            (await one.redis.zrange('tenant:{platform}:answers', '0', '-1')).filter((key) =>
                key.startsWith(ada.tenantId),
            );
        while ((await held()).length > 2) await sleep(5);
        expect((await held()).toSorted()).to.equal(
            running
                .slice(1)
                .map(({ messageId }) => `${ada.tenantId}/${messageId}`)
                .toSorted(),
        );
        for (const { messageId } of running.slice(1)) await cancel(one, messageId);
    });

    it('is stopped when its thread is deleted', async () => {
        const { stream } = await begun();
        await two.call('DELETE', `/api/threads/${thread}`, { token: ada.accessToken });
        provider.answer({ steps: [] });
        expect(await one.redis.keys(`tenant:{${ada.tenantId}}:*generation:*`)).to.equal([]);
        stream.leave();
    });
});
