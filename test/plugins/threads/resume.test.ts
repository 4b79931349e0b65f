import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startReplicas, type TestApp } from '../../helpers/app.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { openStream, resumeStream } from '../../helpers/stream.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { messagesPath, newThread, parseEvents, type ReceivedEvent } from '../../helpers/thread.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const textOf = (events: ReceivedEvent[]): string => events.map(({ data }) => data.token ?? '').join('');
const countTo = (last: number): string => Array.from({ length: last }, (_, n) => n + 1).join(' ');
const isToken = ({ event }: ReceivedEvent): boolean => event === 'token';

describe('GET /api/threads/{threadId}/models/{modelId}/messages/{messageId}/stream', () => {
    let one: TestApp;
    let two: TestApp;
    let ada: TestTenant;
    let thread: string;

    before(async () => {
        [one, two] = await startReplicas({ listen: true, config: { SANDBOX_TOKEN_DELAY_MS: 1 } });
    });

    beforeEach(async () => {
        ada = await newTenant(one);
        thread = await newThread(ada);
    });

    after(async () => {
        await one.stop();
        await two.stop();
    });

    const ask = (content: string) => {
        const url = `${one.server.info.uri}${messagesPath(thread)}`;
        return openStream({ url, token: ada.accessToken, payload: { content } });
    };
    const streamPath = (messageId: string) => `${messagesPath(thread)}/${messageId}/stream`;
    const resume = (app: TestApp, messageId: string, lastEventId?: string) =>
        resumeStream(`${app.server.info.uri}${streamPath(messageId)}`, ada.accessToken, lastEventId);
    const answered = async (content = 'Please count to 3') => {
        const { body } = await ada.call('POST', messagesPath(thread), { payload: { content } });
        return body.data;
    };

    for (const [where, other] of [
        ['the other replica', () => two],
        ['the same replica', () => one],
    ] as const) {
        it(`gives a client that dropped at token 100 of 1,000 the others, each once, on ${where}`, async () => {
            const first = await ask('Please count to 1000');
            const seen = await first.until(({ data }) => data.token === ' 100');
            first.leave();
            const known = seen.filter(isToken).slice(0, 100);
            const second = await resume(other(), seen[0]?.data.messageId, known.at(-1)?.id);
            expect(second.status).to.equal(200);
            const rest = await second.rest();
            expect(textOf(known) + textOf(rest)).to.equal(countTo(1000));
            const ids = [...known, ...rest].map(({ id }) => Number(id));
            expect(ids).to.equal(ids.map((_, at) => at + 1));
            expect(rest.slice(-2).map(({ event }) => event)).to.equal(['message_complete', 'close']);
        });
    }

    it('follows a running answer from its start on any replica, for as many as want to', async () => {
        const first = await ask('Please count to 300');
        const [{ data }] = (await first.until(isToken)) as [ReceivedEvent];
        const followers = await Promise.all(
            Array.from({ length: 6 }, (_, n) => resume(n % 2 === 0 ? one : two, data.messageId)),
        );
        const [own = [], ...others] = await Promise.all([first, ...followers].map((stream) => stream.rest()));
        for (const events of others) expect(events).to.equal(own);
        expect(textOf(own)).to.equal(countTo(300));
    });

    it('gives the same events again after the end, and afterwards the text in one token', async () => {
        const first = await ask('Please count to 20');
        const events = await first.rest();
        const messageId = events[0]?.data.messageId;
        for (const app of [one, two]) expect(await (await resume(app, messageId)).rest()).to.equal(events);
        expect(await (await resume(two, messageId, '18')).rest()).to.equal(events.slice(19));

        const key = `tenant:{${ada.tenantId}}:generation:${messageId}`;
        for (const name of [key, `${key}:events`]) expect(await one.redis.pttl(name)).to.be.within(600_000, 900_000);
        await one.redis.del(key, `${key}:events`);
        const { text } = await ada.call('GET', streamPath(messageId));
        const restored = parseEvents(text);
        expect(restored.map(({ event }) => event)).to.equal(['message_start', 'token', 'message_complete', 'close']);
        expect(textOf(restored)).to.equal(countTo(20));
        expectError(
            await ada.call('GET', streamPath(messageId), { headers: { 'last-event-id': '3' } }),
            'STREAM_EXPIRED',
        );
    });

    it('knows no message that is not there, is the user’s own, or stands elsewhere', async () => {
        const { userMessage, assistantMessage } = await answered();
        const other = await newThread(ada);
        for (const path of [
            streamPath('msg_00000000000000000000000000'),
            streamPath(userMessage.id),
            `${messagesPath(other)}/${assistantMessage.id}/stream`,
        ]) {
            expectError(await ada.call('GET', path), 'MESSAGE_NOT_FOUND');
        }
        expectError(
            await ada.call('GET', `${messagesPath(thread, 'none')}/${userMessage.id}/stream`),
            'MODEL_NOT_FOUND',
        );
        const nobody = messagesPath('thread_00000000000000000000000000');
        expectError(await ada.call('GET', `${nobody}/${assistantMessage.id}/stream`), 'THREAD_NOT_FOUND');
    });

    it('shows nobody the answer of another user, while it is on its way and afterwards', async () => {
        const first = await ask('Please count to 200');
        const [{ data }] = (await first.until(isToken)) as [ReceivedEvent];
        const eve = await newTenant(two);
        const peek = () => two.call('GET', streamPath(data.messageId), { token: eve.accessToken });
        expectError(await peek(), 'THREAD_NOT_FOUND');
        await first.rest();
        expectError(await peek(), 'THREAD_NOT_FOUND');
    });

    it('takes no Last-Event-ID that is none', async () => {
        const { assistantMessage } = await answered();
        for (const id of ['x', '-1', '1.5', '9999999999']) {
            const answer = await ada.call('GET', streamPath(assistantMessage.id), { headers: { 'last-event-id': id } });
            expectError(answer, 'VALIDATION_ERROR');
        }
    });
});

describe('GET /api/threads/{threadId}/models/{modelId}/messages/{messageId}', () => {
    let one: TestApp;
    let two: TestApp;
    let ada: TestTenant;
    let thread: string;

    before(async () => {
        [one, two] = await startReplicas({ listen: true, config: { SANDBOX_TOKEN_DELAY_MS: 2 } });
        ada = await newTenant(one);
        thread = await newThread(ada);
    });

    after(async () => {
        await one.stop();
        await two.stop();
    });

    it('shows a message and its answer as the list does', async () => {
        await ada.call('POST', messagesPath(thread), { payload: { content: 'Please count to 3' } });
        const { messages } = (await ada.call('GET', messagesPath(thread))).body.data;
        expect(messages).to.have.length(2);
        for (const message of messages) {
            const { status, body } = await ada.call('GET', `${messagesPath(thread)}/${message.id}`);
            expect([status, body.data.message]).to.equal([200, message]);
        }
    });

    it('shows an answer that is on its way with its text so far, on any replica', async () => {
        const url = `${one.server.info.uri}${messagesPath(thread)}`;
        const stream = await openStream({ url, token: ada.accessToken, payload: { content: 'Please count to 300' } });
        const seen = await stream.until(({ data }) => data.token === ' 20');
        const path = `${messagesPath(thread)}/${seen[0]?.data.messageId}`;
        for (const app of [one, two]) {
            const { message } = (await app.call('GET', path, { token: ada.accessToken })).body.data;
            expect(message).to.include({
                status: 'generating',
                role: 'assistant',
                replyTo: seen[0]?.data.userMessageId,
            });
            expect(String(message.content)).to.startWith(countTo(20));
            expect(countTo(300)).to.startWith(String(message.content));
        }
        await stream.rest();
        const { message } = (await two.call('GET', path, { token: ada.accessToken })).body.data;
        expect(message).to.include({ status: 'complete', content: countTo(300) });
    });

    it('stands before the newest messages of the list while it is on its way, and among them afterwards', async () => {
        const url = `${one.server.info.uri}${messagesPath(thread)}`;
        const stream = await openStream({ url, token: ada.accessToken, payload: { content: 'Please count to 200' } });
        const seen = await stream.until(({ data }) => data.token === ' 20');
        const [{ data }] = seen as [ReceivedEvent];
        const listed = async (query = '') => {
            const { body } = await two.call('GET', `${messagesPath(thread)}${query}`, { token: ada.accessToken });
            return body.data.messages as { id: string; status: string; content: string; replyTo: string | null }[];
        };
        const [first, second] = await listed('?limit=1');
        expect(first).to.include({ id: data.messageId, status: 'generating', replyTo: data.userMessageId });
        expect(String(first?.content)).to.startWith(countTo(20));
        expect(second?.id).to.equal(data.userMessageId);
        expect((await listed('?order=asc&limit=200')).map(({ id }) => id)).to.not.include(data.messageId);
        await stream.rest();
        const ids = (await listed('?limit=200')).map(({ id }) => id);
        expect(ids.filter((id) => id === data.messageId)).to.have.length(1);
        expect(ids.indexOf(data.messageId)).to.be.below(ids.indexOf(data.userMessageId));
        expect(await one.redis.exists(`tenant:{${ada.tenantId}}:thread:${thread}:running`)).to.equal(0);
    });

    it('knows no message that is not there', async () => {
        expectError(
            await ada.call('GET', `${messagesPath(thread)}/msg_00000000000000000000000000`),
            'MESSAGE_NOT_FOUND',
        );
        expectError(await ada.call('GET', `${messagesPath(thread)}/nonsense`), 'VALIDATION_ERROR');
    });
});
