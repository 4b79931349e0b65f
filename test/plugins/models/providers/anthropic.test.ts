import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../../helpers/app.ts';
import { failureOf, streamOf, testCall, testModel, wholeAnswer } from '../../../helpers/model.ts';
import { cut, fixture, hold, startProvider, type Provider, type Step } from '../../../helpers/provider.ts';
import { CONVERSATION, KEY, providersAt, TOOLS } from '../../../helpers/wires.ts';

import type { ModelCall } from '../../../../plugins/models/api.ts';
import type { ErrorCode } from '../../../../src/http/errors.ts';

export const lab = Lab.script();
const { describe, it, before, after, beforeEach } = lab;

const event = (data: { type: string } & Record<string, unknown>) =>
    `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
const said = (text: string) => event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } });
const started = (usage: object) => event({ type: 'message_start', message: { usage } });
const ended = (reason: string | null, usage?: object) =>
    event({ type: 'message_delta', delta: { stop_reason: reason }, ...(usage && { usage }) });

describe('anthropic()', () => {
    let app: TestApp;
    let provider: Provider;

    before(async () => {
        provider = await startProvider();
        app = await startApp({ config: { ...providersAt(provider.url), ANTHROPIC_BASE_URL: `${provider.url}/a/` } });
    });

    after(async () => {
        await app.stop();
        await provider.stop();
    });

    beforeEach(() => {
        provider.requests.length = 0;
    });

    const model = testModel({
        provider: 'anthropic',
        upstreamId: 'claude-upstream',
        capabilities: ['tools', 'vision'],
    });
    const stream = (call: ModelCall = testCall(model)) =>
        streamOf(app.server.plugins.models, call, new AbortController().signal);
    const answering = (...steps: Step[]) => {
        provider.answer({ headers: { 'content-type': 'text/event-stream' }, steps });
        return stream();
    };
    const bodyOf = async (call: Partial<ModelCall>) => {
        provider.answer({ steps: [fixture('anthropic-messages.sse')] });
        provider.requests.length = 0;
        await wholeAnswer(stream(testCall(model, 'Hi', call)));
        return provider.requests[0]?.body;
    };

    describe('asks', () => {
        it('for a stream, with the version of the form and the limit that is required', async () => {
            await wholeAnswer(answering(fixture('anthropic-messages.sse')));
            const [request] = provider.requests;
            expect(request).to.include({ method: 'POST', path: '/a/v1/messages' });
            expect(request?.headers).to.include({
                'content-type': 'application/json',
                'accept-encoding': 'identity',
                'x-api-key': KEY,
                'anthropic-version': '2023-06-01',
                'x-client-request-id': 'req_of_the_test',
            });
            expect(request?.headers.authorization).to.be.undefined();
            expect(request?.body).to.equal({
                model: 'claude-upstream',
                max_tokens: 4_096,
                messages: [{ role: 'user', content: [{ type: 'text', text: 'How are you?' }] }],
                stream: true,
            });
        });

        it("with the user's own key rather than the platform's", async () => {
            provider.answer({ steps: [fixture('anthropic-messages.sse')] });
            await wholeAnswer(stream(testCall(model, 'Hi', { apiKey: 'sk-ant-own' })));
            expect(provider.requests[0]?.headers).to.include({ 'x-api-key': 'sk-ant-own' });
        });

        it('for as much as the model can say, within reason, unless the call has a limit of its own', async () => {
            const limits: [maxOutput: number | null, maxTokens: number | undefined, expected: number][] = [
                [128_000, undefined, 32_000],
                [8_192, undefined, 8_192],
                [null, undefined, 4_096],
                [128_000, 100_000, 100_000],
            ];
            for (const [maxOutput, maxTokens, expected] of limits) {
                const parameters = maxTokens === undefined ? {} : { maxTokens };
                const body = await bodyOf({ model: { ...model, maxOutput }, parameters });
                expect(body.max_tokens).to.equal(expected);
            }
        });

        it('with the words of the system apart, the sides in turns, images, tools and their results', async () => {
            const { system, messages } = await bodyOf({ messages: CONVERSATION });
            expect(system).to.equal('Be brief.\n\nBe kind.');
            expect(messages).to.equal([
                {
                    role: 'user',
                    content: [
                        { type: 'text', text: 'What is this?' },
                        {
                            type: 'image',
                            source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' },
                        },
                    ],
                },
                {
                    role: 'assistant',
                    content: [
                        { type: 'tool_use', id: 'call_1', name: 'get_weather', input: { city: 'Zürich' } },
                        { type: 'tool_use', id: 'call_2', name: 'get_time', input: {} },
                    ],
                },
                {
                    role: 'user',
                    content: [
                        {
                            type: 'tool_result',
                            tool_use_id: 'call_1',
                            content: [{ type: 'text', text: '{"sky":"blue"}' }],
                        },
                        { type: 'tool_result', tool_use_id: 'call_2', content: [{ type: 'text', text: 'noon' }] },
                        { type: 'text', text: 'And now?' },
                    ],
                },
                { role: 'assistant', content: [{ type: 'text', text: 'Now I know.' }] },
                {
                    role: 'user',
                    content: [
                        { type: 'text', text: 'Thanks' },
                        { type: 'text', text: 'a lot' },
                    ],
                },
            ]);
        });

        it('with the address of an image that is elsewhere, and without messages that say nothing', async () => {
            const { messages } = await bodyOf({
                messages: [
                    { role: 'user', content: [{ type: 'image', url: 'https://example.com/a.png' }] },
                    { role: 'assistant', content: '' },
                ],
            });
            expect(messages).to.equal([
                {
                    role: 'user',
                    content: [{ type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } }],
                },
            ]);
        });

        it('with the parameters under its own names', async () => {
            const body = await bodyOf({ parameters: { temperature: 0, stop: ['END'], tools: TOOLS } });
            expect(body).to.include({ temperature: 0, stop_sequences: ['END'] });
            expect(body.tools).to.equal([
                { name: 'get_weather', description: 'The weather of a city', input_schema: TOOLS[0]?.parameters },
                { name: 'get_time', input_schema: { type: 'object' }, strict: true },
            ]);
            expect(body).to.not.include(['tool_choice', 'top_p', 'system']);
            expect((await bodyOf({ parameters: { topP: 0.5 } })).top_p).to.equal(0.5);
        });

        it('for tools in the way that the call wants', async () => {
            const single = { disable_parallel_tool_use: true };
            const ways: [given: ModelCall['parameters'], expected: object | undefined][] = [
                [{}, undefined],
                [{ parallelToolCalls: true }, undefined],
                [{ toolChoice: 'auto' }, { type: 'auto' }],
                [{ toolChoice: 'none', parallelToolCalls: false }, { type: 'none' }],
                [{ toolChoice: 'required' }, { type: 'any' }],
                [{ toolChoice: { name: 'get_time' } }, { type: 'tool', name: 'get_time' }],
                [{ parallelToolCalls: false }, { type: 'auto', ...single }],
                [
                    { toolChoice: 'required', parallelToolCalls: false },
                    { type: 'any', ...single },
                ],
            ];
            for (const [given, expected] of ways) {
                const body = await bodyOf({ parameters: { tools: TOOLS, ...given } });
                expect(body.tool_choice, JSON.stringify(given)).to.equal(expected);
            }
            const body = await bodyOf({ parameters: { tools: [], toolChoice: 'auto' } });
            expect(body).to.not.include(['tools', 'tool_choice']);
        });
    });

    describe('answers', () => {
        it('with the thoughts, the text, the usage and the finish of a recorded stream', async () => {
            expect(await wholeAnswer(answering(fixture('anthropic-messages.sse')))).to.equal({
                text: 'Grüße aus 東京\n“ok”\u2028 \\n.',
                thoughts: 'The user greets… I greet back 🌸.',
                toolCalls: [],
                usage: {
                    inputFresh: 472,
                    cacheRead: 1_800,
                    cacheWrite: 248,
                    output: 89,
                    reasoning: 61,
                    isEstimated: false,
                },
                finish: 'stop',
                types: ['reasoning', 'reasoning', 'text', 'text', 'text', 'usage', 'finish'],
            });
        });

        it('with the tool calls of a recorded stream, and {} where one has no arguments', async () => {
            const { text, toolCalls, usage, finish } = await wholeAnswer(answering(fixture('anthropic-tools.sse')));
            expect({ text, finish }).to.equal({ text: 'Let me look.', finish: 'tool_calls' });
            expect(toolCalls).to.equal([
                { id: 'toolu_01T1x1fJ34qAmk2tNTrN7Up6', name: 'get_weather', arguments: '{"city": "Zürich"}' },
                { id: 'toolu_01Vb9mKs8Hq5rXe2yPzW4tNd', name: 'get_time', arguments: '{}' },
            ]);
            expect(usage).to.include({ inputFresh: 610, output: 94, isEstimated: false });
        });

        it('with a token before the provider has sent the next, whatever pings come between', async () => {
            const point = hold();
            const ping = event({ type: 'ping' });
            const steps = [ping, started({}), said('first'), ping, point, said('second'), ended('end_turn')];
            const parts = answering(...steps)[Symbol.asyncIterator]();
            expect((await parts.next()).value).to.equal([{ type: 'text', delta: 'first' }]);
            point.release();
            expect((await parts.next()).value).to.equal([{ type: 'text', delta: 'second' }]);
            while (!(await parts.next()).done);
        });

        it('with the reasons to finish in our words', async () => {
            const reasons = {
                end_turn: 'stop',
                stop_sequence: 'stop',
                pause_turn: 'stop',
                max_tokens: 'length',
                model_context_window_exceeded: 'length',
                tool_use: 'tool_calls',
                refusal: 'content_filter',
                brand_new: 'stop',
                toString: 'stop',
            };
            for (const [theirs, ours] of Object.entries(reasons)) {
                const { finish } = await wholeAnswer(answering(said('x'), ended(theirs)));
                expect(finish, theirs).to.equal(ours);
            }
        });

        it('with the last of the cumulative counts, not with their sum', async () => {
            const start = started({ input_tokens: 9, cache_read_input_tokens: 5, output_tokens: 1 });
            const counts = { input_tokens: null, cache_read_input_tokens: 7, output_tokens: 4 };
            const { usage } = await wholeAnswer(
                answering(start, said('x'), ended(null, { output_tokens: 2 }), ended('end_turn', counts)),
            );
            expect(usage).to.equal({
                inputFresh: 9,
                cacheRead: 7,
                cacheWrite: 0,
                output: 4,
                reasoning: 0,
                isEstimated: false,
            });
        });

        it('with an estimate where only the start told of usage, which knows nothing of the whole', async () => {
            const start = started({ input_tokens: 9, output_tokens: 1 });
            for (const last of [undefined, {}, { input_tokens: 9 }, { output_tokens: null }]) {
                const { usage } = await wholeAnswer(answering(start, said('Hello, hello'), ended('end_turn', last)));
                expect(usage).to.include({ output: 3, isEstimated: true });
            }
        });

        it('with what it knows, past what it does not', async () => {
            const odd = [
                event({ type: 'content_block_start', index: 0, content_block: null }),
                event({
                    type: 'content_block_start',
                    index: 0,
                    content_block: { type: 'redacted_thinking', data: 'x' },
                }),
                event({ type: 'content_block_delta', index: 0, delta: null }),
                event({ type: 'content_block_delta', index: 0, delta: { type: 'citations_delta', citation: {} } }),
                event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 5 } }),
                event({ type: 'message_start' }),
                event({ type: 'message_delta' }),
                event({ type: 'brand_new' }),
            ];
            const { types } = await wholeAnswer(answering(...odd, said('x'), ended('end_turn')));
            expect(types).to.equal(['text', 'usage', 'finish']);
        });
    });

    describe('fails', () => {
        const failed = (type: string, more: object = {}) =>
            event({ type: 'error', error: { type, message: `It is ${type} of ${KEY}` }, ...more });
        const kinds: [type: string, code: ErrorCode, details?: object][] = [
            ['overloaded_error', 'PROVIDER_OVERLOADED'],
            ['rate_limit_error', 'PROVIDER_RATE_LIMITED'],
            ['billing_error', 'PROVIDER_RATE_LIMITED', { reason: 'quota' }],
            ['authentication_error', 'PROVIDER_KEY_INVALID'],
            ['invalid_request_error', 'PROVIDER_ERROR'],
            ['api_error', 'PROVIDER_ERROR'],
            ['brand_new', 'PROVIDER_ERROR'],
        ];
        for (const [type, code, details] of kinds) {
            it(`with ${code} at ${type} after a 200, as the first event or later`, async () => {
                for (const steps of [[], [started({}), said('Hello')]]) {
                    const { error, text } = await failureOf(answering(...steps, failed(type)));
                    expect(text).to.equal(steps.length > 0 ? 'Hello' : '');
                    expect(error.data).to.equal({ code, ...(details && { details }) });
                    expect(error.cause).to.be.an.error(`The provider failed: It is ${type} of [key]`);
                }
            });
        }

        it('with what Anthropic calls the request in the log', async () => {
            const { error } = await failureOf(answering(failed('api_error', { request_id: 'req_theirs' })));
            expect((error.cause as Error).message).to.endWith(' (req_theirs)');
        });

        it('where an error has no form, a tool call no name, or the answer no end', async () => {
            const nameless = event({
                type: 'content_block_start',
                index: 0,
                content_block: { type: 'tool_use', id: 'x' },
            });
            const faults: Step[] = [
                event({ type: 'error' }),
                event({ type: 'error', error: [] }),
                nameless,
                ended(null),
                cut,
            ];
            for (const step of faults) {
                const { error } = await failureOf(answering(said('x'), step));
                expect(error.data).to.equal({ code: 'PROVIDER_ERROR' });
            }
        });
    });
});
