import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../helpers/app.ts';
import { writeCatalogue } from '../../helpers/catalogue.ts';
import { closeCircuits } from '../../helpers/circuits.ts';
import { cut, fixture, hold, startProvider, type Provider, type ProviderAnswer } from '../../helpers/provider.ts';
import { chunk, END } from '../../helpers/remote-model.ts';
import { RestartableRedis } from '../../helpers/restartable-redis.ts';
import { openStream } from '../../helpers/stream.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { messagesPath, newThread } from '../../helpers/thread.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

describe('an answer of a provider', () => {
    let provider: Provider;
    let app: TestApp;
    let ada: TestTenant;
    let thread: string;

    const settings = () => ({
        CATALOGUE_FILE: writeCatalogue([
            { id: 'remote', provider: 'openai' },
            { id: 'local', provider: 'ollama' },
        ]),
        OPENAI_BASE_URL: `${provider.url}/v1`,
        OLLAMA_URL: provider.url,
        PROVIDER_KEYS_SHARED: { openai: 'a key of the test' },
        MODEL_FIRST_TOKEN_TIMEOUT: 1.5,
    });

    before(async () => {
        provider = await startProvider();
        app = await startApp({ listen: true, config: settings() });
    });

    beforeEach(async () => {
        await closeCircuits(app.server.plugins.models);
        ada = await newTenant(app);
        thread = await newThread(ada);
    });

    after(async () => {
        await app.stop();
        await provider.stop();
    });

    const open = (content = 'Hello', model = 'remote') =>
        openStream({
            url: `${app.server.info.uri}${messagesPath(thread, model)}`,
            token: ada.accessToken,
            payload: { content },
        });
    const send = (content = 'Hello', model = 'remote') =>
        ada.call('POST', messagesPath(thread, model), { payload: { content } });
    const stored = async (model = 'remote') =>
        (await ada.call('GET', `${messagesPath(thread, model)}?order=asc`)).body.data.messages;
    const untilStored = async (count: number) => {
        for (;;) {
            const messages = await stored();
            if (messages.length >= count) return messages;
        }
    };

    it('reaches the client token by token: the first before the provider has sent the second', async () => {
        const second = hold();
        provider.answer({ steps: [chunk('One'), second, chunk(' two'), END] });
        const stream = await open();
        const events = await stream.until(({ event }) => event === 'token');
        expect(events.map(({ event }) => event)).to.equal(['message_start', 'token']);
        expect(events.at(-1)?.data.token).to.equal('One');
        second.release();
        expect((await stream.rest()).map(({ data }) => data.token ?? '').join('')).to.equal('One two');
    });

    it('is the same from a recorded stream of OpenAI and of Ollama, whole and as a stream', async () => {
        for (const [model, file] of [
            ['remote', 'openai-chat.sse'],
            ['local', 'ollama-chat.ndjson'],
        ] as const) {
            provider.answer({ steps: [fixture(file)] });
            const { body } = await send('Hello', model);
            const events = await (await open('Hello', model)).rest();
            const { assistantMessage } = body.data;
            expect(assistantMessage).to.include({ status: 'complete', finishReason: 'stop' });
            expect(assistantMessage.usage.isEstimated).to.be.false();
            expect(events.map(({ data }) => data.token ?? '').join('')).to.equal(assistantMessage.content);
        }
    });

    it('is stored to its end also when the client was killed', async () => {
        const rest = hold();
        provider.answer({ steps: [chunk('One'), rest, chunk(' two'), END] });
        const stream = await open();
        await stream.until(({ event }) => event === 'token');
        stream.leave();
        rest.release();
        const [, answer] = await untilStored(2);
        expect(answer).to.include({ content: 'One two', status: 'complete', finishReason: 'stop' });
        expect(provider.requests.at(-1)?.isAborted).to.be.false();
    });

    for (const [what, answer, status, code] of [
        ['401', { status: 401, steps: ['{"error":{"message":"Bad key"}}'] }, 422, 'PROVIDER_KEY_INVALID'],
        ['400', { status: 400, steps: ['{"error":{"message":"No"}}'] }, 422, 'PROVIDER_REFUSED'],
        ['429', { status: 429, headers: { 'retry-after': '7' } }, 429, 'PROVIDER_RATE_LIMITED'],
        ['500', { status: 500 }, 502, 'PROVIDER_ERROR'],
        ['503', { status: 503 }, 503, 'PROVIDER_OVERLOADED'],
        ['an error event after 200', { steps: ['data: {"error":{"message":"x"}}\n\n'] }, 502, 'PROVIDER_ERROR'],
        ['an end without a word', { steps: [cut] }, 502, 'PROVIDER_ERROR'],
        ['garbage', { steps: ['data: {"cho\n\n'] }, 502, 'PROVIDER_ERROR'],
        ['silence', { steps: [3_000, chunk('Late'), END] }, 504, 'PROVIDER_TIMEOUT'],
    ] as [string, ProviderAnswer, number, string][]) {
        it(`refused before the first token (${what}) is a real ${status}, whole and as a stream`, async () => {
            provider.answer(answer);
            const whole = await send();
            const streamed = await ada.call('POST', messagesPath(thread, 'remote'), {
                payload: { content: 'Hello', stream: true },
            });
            for (const { status: got, body, headers } of [whole, streamed]) {
                expect([got, body.error.code]).to.equal([status, code]);
                expect(headers['retry-after']).to.equal(code === 'PROVIDER_RATE_LIMITED' ? '7' : undefined);
                expect(String(headers['content-type'])).to.startWith('application/json');
            }
            const messages = await stored();
            expect(messages.map(({ role }: { role: string }) => role)).to.equal([
                'user',
                'assistant',
                'user',
                'assistant',
            ]);
            expect(messages[1]).to.include({ status: 'failed', content: '', errorCode: code });
        });
    }

    it('that failed without a word is left out of the next call, with its question', async () => {
        provider.answer({ steps: [chunk('Fine'), END] });
        await send('First');
        provider.answer({ status: 500 });
        await send('Second');
        provider.answer({ steps: [chunk('Good'), END] });
        await send('Second again');
        expect(provider.requests.at(-1)?.body.messages).to.equal([
            { role: 'user', content: 'First' },
            { role: 'assistant', content: 'Fine' },
            { role: 'user', content: 'Second again' },
        ]);
    });

    it('is stored with characters of two code units, cut in its preview or by the provider', async () => {
        const emoji = '\u{1F600}';
        provider.answer({ steps: [chunk(`${'x'.repeat(199)}${emoji}`), END] });
        const { status, body } = await send(`${'y'.repeat(199)}${emoji}`);
        expect(status, JSON.stringify(body)).to.equal(200);
        const { thread: shown } = (await ada.call('GET', `/api/threads/${thread}`)).body.data;
        expect(shown.lastMessage.content).to.equal('x'.repeat(199));
        provider.answer({ steps: [chunk('half \ud83d'), END] });
        expect((await send()).body.data.assistantMessage.content).to.equal('half \ufffd');
    });

    it('that breaks off in the middle is an error event, and what came is kept', async () => {
        provider.answer({ steps: [chunk('One'), chunk(' two'), 20, cut] });
        const stream = await open();
        expect(stream.status).to.equal(200);
        const events = await stream.rest();
        expect(events.map(({ event }) => event)).to.equal(['message_start', 'token', 'token', 'error', 'close']);
        const { error } = events[3]?.data ?? {};
        expect(error).to.include({ code: 'PROVIDER_ERROR', statusCode: 502, category: 'server' });
        expect(error.correlationId).to.equal(stream.headers.get('x-request-id'));
        const [, answer] = await stored();
        expect(answer).to.include({ content: 'One two', status: 'failed', errorCode: 'PROVIDER_ERROR' });
        expect(answer.usage).to.include({ isEstimated: true, output: 2 });
    });

    it('waits for Redis that went away in the middle, and goes on when it is back', async () => {
        const redis = new RestartableRedis();
        await redis.start();
        const other = await startApp({ listen: true, redisPath: redis.path, config: settings() });
        const tenant = await newTenant(other);
        const id = await newThread(tenant);
        const rest = hold();
        provider.answer({ steps: [chunk('One'), rest, chunk(' two'), END] });
        const stream = await openStream({
            url: `${other.server.info.uri}${messagesPath(id, 'remote')}`,
            token: tenant.accessToken,
            payload: { content: 'Hello' },
        });
        await stream.until(({ event }) => event === 'token');
        await redis.kill();
        rest.release();
        await redis.start();
        const events = await stream.rest();
        expect(events.map(({ data }) => data.token ?? '').join('')).to.equal('One two');
        expect(events.at(-2)?.event).to.equal('message_complete');
        await other.stop();
        await redis.remove();
    });
});
