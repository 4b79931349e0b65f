import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import OpenAI from 'openai';

import { newKey } from '../../helpers/api-key.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { writeCatalogue } from '../../helpers/catalogue.ts';
import { closeCircuits } from '../../helpers/circuits.ts';
import { expectOpenAiError, openAiClient } from '../../helpers/openai.ts';
import { cut, fixture, startProvider, type Provider } from '../../helpers/provider.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const PATH = '/v1/chat/completions';
const messages = [{ role: 'user' as const, content: 'Hello' }];

describe('POST /v1/chat/completions', () => {
    let app: TestApp;
    let provider: Provider;
    let ada: TestTenant;
    let client: OpenAI;

    before(async () => {
        provider = await startProvider();
        app = await startApp({
            listen: true,
            config: {
                OPENAI_BASE_URL: `${provider.url}/v1`,
                PROVIDER_KEYS_SHARED: { openai: 'a key of the test' },
                CATALOGUE_FILE: writeCatalogue([
                    { id: 'remote', provider: 'openai', aliases: ['gpt-test'] },
                    { id: 'sandbox', maxOutput: 4_096 },
                ]),
            },
        });
    });

    beforeEach(async () => {
        await closeCircuits(app.server.plugins.models);
        ada = await newTenant(app);
        const { secret } = await newKey(ada, { scopes: ['model:call', 'model:read'] });
        client = openAiClient(app, secret);
    });

    after(async () => {
        await app.stop();
        await provider.stop();
    });

    const post = (payload: object, headers = {}) => ada.call('POST', PATH, { payload, headers });
    /** What the client throws. */
    const failure = async (work: PromiseLike<unknown>) => {
        try {
            await work;
        } catch (error) {
            if (error instanceof OpenAI.APIError) return error;
            throw error;
        }
        throw new Error('It did not fail');
    };

    it('answers a chat.completion to an API key', async () => {
        const completion = await client.chat.completions.create({ model: 'sandbox', messages });
        expect(completion.id).to.match(/^chatcmpl_[0-9A-Z]{26}$/);
        expect(completion).to.include({ object: 'chat.completion', model: 'sandbox' });
        expect(Math.abs(completion.created - Date.now() / 1000)).to.be.below(60);
        expect(completion.choices).to.have.length(1);
        const [choice] = completion.choices;
        expect(choice).to.include({ index: 0, finish_reason: 'stop', logprobs: null });
        expect(choice?.message).to.include({ role: 'assistant', refusal: null });
        expect(choice?.message.content).to.match(/Hello$/);
        const { prompt_tokens: input = 0, completion_tokens: output = 0, total_tokens: total } = completion.usage ?? {};
        expect(input).to.be.above(0);
        expect(output).to.be.above(0);
        expect(total).to.equal(input + output);
        expect(completion._request_id).to.match(/^req_/);
    });

    it('answers to the access token of a user', async () => {
        const user = openAiClient(app, ada.accessToken);
        const { choices } = await user.chat.completions.create({ model: 'sandbox', messages });
        expect(choices[0]?.message.content).to.match(/Hello$/);
    });

    it('has neither the envelope nor any other field, and the limits in its headers', async () => {
        const { status, body, headers } = await post({ model: 'sandbox', messages });
        expect(status).to.equal(200);
        expect(Object.keys(body)).to.equal(['id', 'object', 'created', 'model', 'choices', 'usage']);
        expect(headers['x-ratelimit-limit']).to.equal('100');
        expect(headers['x-request-id']).to.match(/^req_/);
        expect(headers).to.not.include('x-ignored-parameters');
    });

    it('calls the provider by its own words, and counts what it told', async () => {
        provider.answer({ steps: [fixture('openai-chat.sse')] });
        const asked = {
            model: 'gpt-test',
            messages: [{ role: 'developer' as const, content: 'Be brief' }, ...messages],
        };
        const { model, choices, usage } = await client.chat.completions.create({ ...asked, temperature: 0.5 });
        expect(model).to.equal('gpt-test');
        expect(choices[0]?.message.content).to.be.a.string().and.not.be.empty();
        expect(usage?.prompt_tokens_details?.cached_tokens).to.be.a.number();
        expect(usage?.completion_tokens_details?.reasoning_tokens).to.be.a.number();
        const request = provider.requests.at(-1);
        expect(request?.body).to.include({ model: 'remote', temperature: 0.5 });
        expect(request?.body.messages).to.equal([{ role: 'system', content: 'Be brief' }, ...messages]);
        expect(request?.headers['x-client-request-id']).to.match(/^req_/);
    });

    it('adds no system prompt and no temperature of the profile', async () => {
        provider.answer({ steps: [fixture('openai-chat.sse')] });
        const settings = { systemPrompt: 'Speak like a pirate', defaultTemperature: 0.1 };
        await ada.call('PATCH', '/api/profile', { payload: { settings } });
        await client.chat.completions.create({ model: 'remote', messages });
        expect(provider.requests.at(-1)?.body.messages).to.equal(messages);
        expect(provider.requests.at(-1)?.body).to.not.include('temperature');
    });

    it('limits the output to max_tokens, or max_completion_tokens where both are there', async () => {
        const count = { model: 'sandbox', messages: [{ role: 'user' as const, content: 'count to 9' }] };
        const short = await client.chat.completions.create({ ...count, max_tokens: 3 });
        expect(short.choices[0]).to.include({ finish_reason: 'length' });
        expect(short.choices[0]?.message.content).to.equal('1 2 3');
        const both = await client.chat.completions.create({ ...count, max_tokens: 3, max_completion_tokens: 2 });
        expect(both.choices[0]?.message.content).to.equal('1 2');
    });

    it('names in a header what the model does not take and what it does not know', async () => {
        const { headers, status } = await post({
            model: 'sandbox',
            messages,
            seed: 1,
            top_p: 0.5,
            logit_bias: { 50: 1 },
            'not\r\na: header': 1,
            n: 1,
            user: 'u',
            store: true,
            metadata: { a: 'b' },
            stop: null,
        });
        expect(status).to.equal(200);
        expect(headers['x-ignored-parameters']?.split(', ').toSorted()).to.equal(['logit_bias', 'seed', 'top_p']);
    });

    it('takes a body of more than 1 MiB, and none of more than 20', async () => {
        const image = (bytes: number) => ({
            type: 'image_url',
            image_url: { url: `data:image/png;base64,${'A'.repeat(bytes)}` },
        });
        const large = await post({ model: 'sandbox', messages: [{ role: 'user', content: [image(5_000_000)] }] });
        const { param, message } = expectOpenAiError(large, 'VALIDATION_ERROR');
        expect([param, message]).to.equal([
            'messages',
            'The request is not valid. (messages: this model takes no images)',
        ]);
        const huge = await post({ model: 'sandbox', messages: [{ role: 'user', content: [image(21_000_000)] }] });
        expectOpenAiError(huge, 'PAYLOAD_TOO_LARGE');
    });

    it('answers a repeat with the same Idempotency-Key as the first time', async () => {
        const key = { 'idempotency-key': `key of ${ada.userId}` };
        const request = { model: 'sandbox', messages, seed: 1 };
        const first = await post(request, key);
        const repeat = await post(request, key);
        expect(repeat.body).to.equal(first.body);
        expect(repeat.headers['idempotent-replayed']).to.equal('true');
        expect(repeat.headers['x-ignored-parameters']).to.equal('seed');
        expectOpenAiError(await post({ ...request, seed: 2 }, key), 'IDEMPOTENCY_KEY_REUSED');
    });

    describe('refuses', () => {
        it('a wrong key, as the client knows it', async () => {
            const error = await failure(
                openAiClient(app, 'sk-none').chat.completions.create({ model: 'sandbox', messages }),
            );
            expect(error).to.be.instanceof(OpenAI.AuthenticationError);
            expect(error).to.include({
                status: 401,
                code: 'invalid_api_key',
                type: 'authentication_error',
                param: null,
            });
            expect(error.requestID).to.match(/^req_/);
        });

        it('a model that does not exist', async () => {
            for (const model of ['none', 'No Such/Model']) {
                const error = await failure(client.chat.completions.create({ model, messages }));
                expect(error).to.be.instanceof(OpenAI.NotFoundError);
                expect(error).to.include({
                    status: 404,
                    code: 'model_not_found',
                    type: 'invalid_request_error',
                    param: 'model',
                });
                expect(error.message).to.include(model);
            }
        });

        it('a request that is not valid, with the field', async () => {
            const error = await failure(client.chat.completions.create({ model: 'sandbox', messages, temperature: 3 }));
            expect(error).to.be.instanceof(OpenAI.BadRequestError);
            expect(error).to.include({ status: 400, code: 'validation_error', param: 'temperature' });
            expect(error.message).to.include('temperature must be less than or equal to 2');
        });

        it('a body that is none', async () => {
            const headers = { 'content-type': 'application/json' };
            expectOpenAiError(await ada.call('POST', PATH, { payload: '{"model"', headers }), 'MALFORMED_REQUEST');
        });

        it('a key without the permission, though it may send to threads', async () => {
            const { secret } = await newKey(ada, { scopes: ['thread:write', 'model:read'] });
            const error = await failure(
                openAiClient(app, secret).chat.completions.create({ model: 'sandbox', messages }),
            );
            expect(error).to.be.instanceof(OpenAI.PermissionDeniedError);
            expect(error).to.include({ status: 403, code: 'forbidden', type: 'permission_error' });
            expect(error.message).to.include('permission: model:call');
        });

        it('a key for this alone in a thread', async () => {
            const { secret } = await newKey(ada, { scopes: ['model:call'] });
            const { status } = await app.call('POST', '/api/threads', { token: secret, payload: {} });
            expect(status).to.equal(403);
        });

        it('more requests than the key may make', () =>
            app.inNoTime(async () => {
                const { secret } = await newKey(ada, { scopes: ['model:call'], requestsPerMinute: 1 });
                const limited = openAiClient(app, secret);
                await limited.chat.completions.create({ model: 'sandbox', messages });
                const error = await failure(limited.chat.completions.create({ model: 'sandbox', messages }));
                expect(error).to.be.instanceof(OpenAI.RateLimitError);
                expect(error).to.include({ status: 429, code: 'rate_limit_exceeded', type: 'rate_limit_error' });
                expect(Number(error.headers?.get('retry-after'))).to.be.within(1, 60);
                expect(error.headers?.get('x-ratelimit-remaining')).to.equal('0');
            }));

        it('what the provider refuses, and fails as it fails, also when a stream was asked for', async () => {
            for (const [status, code] of [
                [400, 'PROVIDER_REFUSED'],
                [401, 'PROVIDER_KEY_INVALID'],
                [429, 'PROVIDER_RATE_LIMITED'],
                [500, 'PROVIDER_ERROR'],
                [503, 'PROVIDER_OVERLOADED'],
            ] as const) {
                for (const stream of [false, true]) {
                    await closeCircuits(app.server.plugins.models);
                    provider.answer({ status, steps: ['{"error":{"message":"The provider’s reason"}}'] });
                    const error = expectOpenAiError(await post({ model: 'remote', messages, stream }), code);
                    if (status === 400) expect(error.message).to.include('reason: The provider’s reason');
                }
            }
        });

        it('an answer that broke off', async () => {
            provider.answer({ steps: ['data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n', cut] });
            expectOpenAiError(await post({ model: 'remote', messages }), 'PROVIDER_ERROR');
            expect(
                app.logs.find(({ msg, errorCode }) => msg === 'A call failed' && errorCode === 'PROVIDER_ERROR'),
            ).to.exist();
        });

        it('what is below /v1 and leads nowhere', async () => {
            const error = await failure(client.completions.create({ model: 'sandbox', prompt: 'Hello' }));
            expect(error).to.be.instanceof(OpenAI.NotFoundError);
            expect(error).to.include({ code: 'route_not_found', type: 'invalid_request_error' });
            const { body } = await app.call('GET', '/v10/none');
            expect(body.success).to.be.false();
        });
    });
});
