import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import OpenAI from 'openai';

import { newKey } from '../../helpers/api-key.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { writeCatalogue } from '../../helpers/catalogue.ts';
import { setLimits } from '../../helpers/limits.ts';
import { openAiClient } from '../../helpers/openai.ts';
import { cut, hold, startProvider, type Provider } from '../../helpers/provider.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';

import type { ServerResponse } from 'node:http';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const messages = [{ role: 'user' as const, content: 'Hello' }];
const said = (content: string, reason: string | null = null): string =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: reason }] })}\n\n`;
const END = `${said('', 'stop')}data: [DONE]\n\n`;

describe('POST /v1/chat/completions with stream', () => {
    let app: TestApp;
    /** A replica of it. */
    let other: TestApp;
    let provider: Provider;
    let ada: TestTenant;
    let secret: string;
    let client: OpenAI;

    before(async () => {
        provider = await startProvider();
        const config = {
            OPENAI_BASE_URL: `${provider.url}/v1`,
            PROVIDER_KEYS_SHARED: { openai: 'a key of the test' },
            CATALOGUE_FILE: writeCatalogue([{ id: 'remote', provider: 'openai' }, { id: 'sandbox' }]),
        };
        app = await startApp({ listen: true, config });
        other = await startApp({ listen: true, config: { ...config, JWT_KEYS: app.config.JWT_KEYS } });
    });

    beforeEach(async () => {
        ada = await newTenant(app);
        ({ secret } = await newKey(ada, { scopes: ['model:call'] }));
        client = openAiClient(app, secret);
        app.logs.length = 0;
    });

    after(async () => {
        await app.stop();
        await other.stop();
        await provider.stop();
    });

    const open = (model = 'remote', options: object = {}, at = client) =>
        at.chat.completions.create({ model, messages, stream: true, ...options });
    /** The line that the end of a call leaves, once it is there. */
    const callEnd = async () => {
        for (;;) {
            const line = app.logs.find(({ msg }) => msg === 'A call has ended' || msg === 'A call failed');
            if (line) return line;
            await sleep(2);
        }
    };
    /** Until the user has no slot taken. */
    const slotFree = async () => {
        const key = `tenant:{${ada.tenantId}}:user:${ada.userId}:generations`;
        while ((await app.redis.zcard(key)) > 0) await sleep(2);
    };
    const raw = async (payload: object) => {
        const response = await fetch(`${app.server.info.uri}/v1/chat/completions`, {
            method: 'POST',
            headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
            body: JSON.stringify({ messages, stream: true, ...payload }),
        });
        return { response, text: await response.text() };
    };

    it('sends role, text and finish, each with the same head', async () => {
        provider.answer({ steps: [said('One'), said(' two'), END] });
        const chunks = [];
        for await (const chunk of await open()) chunks.push(chunk);
        const [first] = chunks;
        expect(first?.id).to.match(/^chatcmpl_/);
        for (const chunk of chunks) {
            const { id, created } = chunk;
            expect({ id, created }).to.equal({ id: first?.id, created: first?.created } as never);
            expect(chunk).to.include({ object: 'chat.completion.chunk', model: 'remote' });
            expect(chunk).to.not.include('usage');
        }
        expect(chunks.map(({ choices }) => choices[0]?.delta)).to.equal([
            { role: 'assistant', content: '', refusal: null },
            { content: 'One' },
            { content: ' two' },
            {},
        ] as never);
        const reasons = chunks.map(({ choices }) => choices[0]?.finish_reason);
        expect(reasons).to.equal([null, null, null, 'stop']);
    });

    it('ends with [DONE], as an event stream that nobody keeps', async () => {
        const { response, text } = await raw({ model: 'sandbox' });
        expect(response.headers.get('content-type')).to.match(/^text\/event-stream/);
        expect(response.headers.get('cache-control')).to.equal('no-cache');
        expect(response.headers.get('x-ratelimit-limit')).to.equal('100');
        expect(text.endsWith('\n\ndata: [DONE]\n\n')).to.be.true();
        // Nothing that OpenAI does not send.
        for (const line of text.split('\n')) expect(line).to.match(/^(data: .+)?$/);
    });

    it('sends what the document shows', async () => {
        const { body: document } = await app.call('GET', '/openapi.json');
        const { example } = document.paths['/v1/chat/completions'].post.responses['200'].content['text/event-stream'];
        const { text } = await raw(document.components.schemas.CompletionRequest.example);
        const shapes = (stream: string) => {
            const chunks = stream.split('\n\n').filter((line) => line.startsWith('data: {'));
            const parsed = chunks.map((line) => JSON.parse(line.slice('data: '.length)));
            return new Set(
                parsed.map((chunk) => [...Object.keys(chunk), ...Object.keys(chunk.choices[0]?.delta ?? {})].join()),
            );
        };
        expect(shapes(text)).to.equal(shapes(example));
    });

    it('tells the usage in a last chunk without choices where it is asked for, and null before', async () => {
        const usage = { prompt_tokens: 30, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 20 } };
        const told = `data: ${JSON.stringify({ choices: [], usage })}\n\ndata: [DONE]\n\n`;
        provider.answer({ steps: [said('One'), said('', 'length'), told] });
        const chunks = [];
        for await (const chunk of await open('remote', { stream_options: { include_usage: true } })) chunks.push(chunk);
        expect(chunks.slice(0, -1).every((chunk) => chunk.usage === null)).to.be.true();
        expect(chunks.at(-2)?.choices[0]?.finish_reason).to.equal('length');
        expect(chunks.at(-1)?.choices).to.equal([]);
        expect(chunks.at(-1)?.usage).to.equal({
            prompt_tokens: 30,
            completion_tokens: 5,
            total_tokens: 35,
            prompt_tokens_details: { cached_tokens: 20 },
            completion_tokens_details: { reasoning_tokens: 0 },
        });
    });

    it('sends a token before the provider has sent the next', async () => {
        const second = hold();
        provider.answer({ steps: [said('One'), second, said(' two'), END] });
        const stream = (await open())[Symbol.asyncIterator]();
        await stream.next();
        const { value } = await stream.next();
        expect(value.choices[0].delta.content).to.equal('One');
        second.release();
        expect((await stream.next()).value.choices[0].delta.content).to.equal(' two');
        while (!(await stream.next()).done);
    });

    it('fills the client’s own whole answer', async () => {
        const stream = client.chat.completions.stream({
            model: 'sandbox',
            messages: [{ role: 'user', content: 'count to 5' }],
        });
        expect(await stream.finalContent()).to.equal('1 2 3 4 5');
    });

    it('tells a failure in the middle, and not that it is done', async () => {
        provider.answer({ steps: [said('One'), cut] });
        const { response, text } = await raw({ model: 'remote' });
        expect(response.status).to.equal(200);
        const last = text.trim().split('\n\n').at(-1) ?? '';
        const { error } = JSON.parse(last.slice('data: '.length));
        expect(error).to.include({ type: 'server_error', code: 'provider_error', param: null });
        expect(text).to.include('"One"').and.not.include('[DONE]');
        let thrown: unknown;
        try {
            for await (const _ of await open());
        } catch (failure) {
            thrown = failure;
        }
        expect(thrown).to.be.instanceof(OpenAI.APIError);
        const { outcome, errorCode, usage } = await callEnd();
        expect([outcome, errorCode]).to.equal(['failed', 'PROVIDER_ERROR']);
        expect(usage).to.include({ isEstimated: true, output: 1 });
    });

    it('tells of the end of a call: what came of it, its usage and its times', async () => {
        for await (const _ of await open('sandbox'));
        const end = await callEnd();
        expect(end).to.include({ outcome: 'complete', modelId: 'sandbox', userId: ada.userId, tenantId: ada.tenantId });
        expect(end.usage).to.include({ isEstimated: false });
        expect(Number(end.durationMs)).to.be.at.least(Number(end.timeToFirstTokenMs));
    });

    it('stops the provider when the client goes away in the middle, and frees the slot', async () => {
        provider.answer({ steps: [said('One'), hold()] });
        const controller = new AbortController();
        const stream = (
            await client.chat.completions.create(
                { model: 'remote', messages, stream: true },
                { signal: controller.signal },
            )
        )[Symbol.asyncIterator]();
        await stream.next();
        await stream.next();
        controller.abort();
        await provider.requests.at(-1)?.aborted;
        await slotFree();
        const { outcome, usage, errorCode } = await callEnd();
        expect([outcome, errorCode]).to.equal(['cancelled', undefined]);
        expect(usage).to.include({ isEstimated: true, output: 1 });
        expect(app.logs.filter(({ level }) => Number(level) >= 40)).to.equal([]);
    });

    it('stops the provider when the client goes away before the first token, stream or not', async () => {
        for (const stream of [true, false]) {
            const silence = hold();
            provider.answer({ steps: [silence] });
            app.logs.length = 0;
            const controller = new AbortController();
            const { signal } = controller;
            const asked = client.chat.completions.create({ model: 'remote', messages, stream }, { signal });
            const given = asked.then(
                () => false,
                () => true,
            );
            await silence.reached;
            controller.abort();
            expect(await given).to.be.true();
            await provider.requests.at(-1)?.aborted;
            await slotFree();
            expect(await callEnd()).to.include({ outcome: 'cancelled', timeToFirstTokenMs: null });
        }
    });

    it('goes on without its client where an Idempotency-Key lets it ask again', async () => {
        const silence = hold();
        provider.answer({ steps: [silence, said('One'), END] });
        const calls = provider.requests.length;
        const controller = new AbortController();
        const headers = { 'idempotency-key': `key of ${ada.userId}` };
        const ask = (signal?: AbortSignal) =>
            client.chat.completions.create({ model: 'remote', messages }, { headers, ...(signal && { signal }) });
        const left = new Promise<void>((resolve) => {
            const seen = (_request: unknown, response: ServerResponse) => void response.once('close', resolve);
            app.server.listener.once('request', seen);
        });
        const given = ask(controller.signal).then(
            () => false,
            () => true,
        );
        await silence.reached;
        controller.abort();
        expect(await given).to.be.true();
        await left;
        const again = ask();
        silence.release();
        expect((await again).choices[0]?.message.content).to.equal('One');
        expect(provider.requests).to.have.length(calls + 1);
    });

    it('takes a slot of the user while it runs, on any replica, and refuses past the limit', async () => {
        await setLimits(app, ada.tenantId, { concurrentGenerations: 3 });
        const there = openAiClient(other, secret);
        const gates = [hold(), hold(), hold()];
        const waiting = [...gates];
        provider.answer(() => ({ steps: [said('One'), waiting.shift() ?? 0, END] }));
        const results = await Promise.allSettled(
            Array.from({ length: 8 }, (_, index) => open('remote', {}, index % 2 ? client : there)),
        );
        const running = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
        const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
        expect(running).to.have.length(3);
        for (const error of refused) {
            expect(error).to.be.instanceof(OpenAI.RateLimitError);
            expect(error).to.include({ code: 'concurrency_limit', type: 'rate_limit_error' });
            expect(error.headers.get('retry-after')).to.equal('5');
        }
        for (const gate of gates) gate.release();
        for (const stream of running) for await (const _ of stream);
        await slotFree();
        for await (const _ of await open('remote', {}, there));
    });

    it('frees the slot after a refusal', async () => {
        provider.answer({ status: 400, steps: ['{}'] });
        const refusal = await open().catch((error: unknown) => error);
        expect(refusal).to.be.instanceof(OpenAI.UnprocessableEntityError);
        await slotFree();
        expect(await callEnd()).to.include({ outcome: 'failed', usage: null });
    });
});
