import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../../helpers/app.ts';
import { failureOf, streamOf, testCall, testModel, wholeAnswer } from '../../../helpers/model.ts';
import { fixture, hold, startProvider, type Provider, type Step } from '../../../helpers/provider.ts';
import { CONVERSATION, KEY, providersAt, TOOLS } from '../../../helpers/wires.ts';

import type { ModelCall } from '../../../../plugins/models/api.ts';
import type { ErrorCode } from '../../../../src/http/errors.ts';

export const lab = Lab.script();
const { describe, it, before, after, beforeEach } = lab;

const chunk = (data: object) => `data: ${JSON.stringify(data)}\r\n\r\n`;
const said = (text: string, finishReason?: string, more: object = {}) =>
    chunk({ candidates: [{ content: { role: 'model', parts: [{ text }] }, finishReason }], ...more });
const called = (name: unknown, finishReason: string) =>
    chunk({ candidates: [{ content: { parts: [{ functionCall: { name } }] }, finishReason }] });

describe('google()', () => {
    let app: TestApp;
    let provider: Provider;

    before(async () => {
        provider = await startProvider();
        app = await startApp({ config: providersAt(provider.url) });
    });

    after(async () => {
        await app.stop();
        await provider.stop();
    });

    beforeEach(() => {
        provider.requests.length = 0;
    });

    const model = testModel({ provider: 'google', upstreamId: 'gemini-upstream', capabilities: ['tools', 'vision'] });
    const stream = (call: ModelCall = testCall(model)) =>
        streamOf(app.server.plugins.models, call, new AbortController().signal);
    const answering = (...steps: Step[]) => {
        provider.answer({ headers: { 'content-type': 'text/event-stream' }, steps });
        return stream();
    };
    const bodyOf = async (call: Partial<ModelCall>) => {
        provider.answer({ steps: [fixture('google-chat.sse')] });
        provider.requests.length = 0;
        await wholeAnswer(stream(testCall(model, 'Hi', call)));
        return provider.requests[0]?.body;
    };

    describe('asks', () => {
        it('for a stream of events, with the key in the header and nowhere else', async () => {
            await wholeAnswer(answering(fixture('google-chat.sse')));
            const [request] = provider.requests;
            expect(request).to.include({
                method: 'POST',
                path: '/v1beta/models/gemini-upstream:streamGenerateContent?alt=sse',
            });
            expect(request?.headers).to.include({ 'x-goog-api-key': KEY, 'accept-encoding': 'identity' });
            expect(request?.headers.authorization).to.be.undefined();
            expect(request?.body).to.equal({
                contents: [{ role: 'user', parts: [{ text: 'How are you?' }] }],
                generationConfig: {},
            });
        });

        it('for the thoughts of a model that has some', async () => {
            const { generationConfig } = await bodyOf({ model: { ...model, capabilities: ['reasoning'] } });
            expect(generationConfig).to.equal({ thinkingConfig: { includeThoughts: true } });
        });

        it('with the words of the system apart, the sides in turns, images, tools and their results', async () => {
            const { systemInstruction, contents } = await bodyOf({ messages: CONVERSATION });
            const thoughtSignature = 'skip_thought_signature_validator';
            expect(systemInstruction).to.equal({ parts: [{ text: 'Be brief.\n\nBe kind.' }] });
            expect(contents).to.equal([
                {
                    role: 'user',
                    parts: [{ text: 'What is this?' }, { inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } }],
                },
                {
                    role: 'model',
                    parts: [
                        { functionCall: { name: 'get_weather', args: { city: 'Zürich' } }, thoughtSignature },
                        { functionCall: { name: 'get_time', args: {} }, thoughtSignature },
                    ],
                },
                {
                    role: 'user',
                    parts: [
                        { functionResponse: { name: 'get_weather', response: { sky: 'blue' } } },
                        { functionResponse: { name: 'get_time', response: { output: 'noon' } } },
                        { text: 'And now?' },
                    ],
                },
                { role: 'model', parts: [{ text: 'Now I know.' }] },
                { role: 'user', parts: [{ text: 'Thanks' }, { text: 'a lot' }] },
            ]);
        });

        it('with results that are lists as their output, by the id of calls that it does not know', async () => {
            const { contents } = await bodyOf({ messages: [{ role: 'tool', toolCallId: 'call_9', content: '[1]' }] });
            expect(contents[0].parts).to.equal([{ functionResponse: { name: 'call_9', response: { output: [1] } } }]);
        });

        it('with the address of an image that is elsewhere', async () => {
            const url = 'https://example.com/a.png';
            const { contents } = await bodyOf({ messages: [{ role: 'user', content: [{ type: 'image', url }] }] });
            expect(contents).to.equal([{ role: 'user', parts: [{ fileData: { fileUri: url } }] }]);
        });

        it('with the parameters under its own names', async () => {
            const schema = { type: 'object' };
            const { generationConfig } = await bodyOf({
                parameters: {
                    temperature: 0,
                    topP: 0.5,
                    maxTokens: 99,
                    stop: ['END'],
                    seed: 7,
                    presencePenalty: 0.1,
                    frequencyPenalty: 0.2,
                    responseFormat: { type: 'json_schema', name: 'x', schema },
                },
            });
            expect(generationConfig).to.equal({
                temperature: 0,
                topP: 0.5,
                maxOutputTokens: 99,
                stopSequences: ['END'],
                seed: 7,
                presencePenalty: 0.1,
                frequencyPenalty: 0.2,
                responseMimeType: 'application/json',
                responseJsonSchema: schema,
            });
            const json = await bodyOf({ parameters: { responseFormat: { type: 'json_object' } } });
            expect(json.generationConfig).to.equal({ responseMimeType: 'application/json' });
        });

        it('for tools in the way that the call wants', async () => {
            const ways: [choice: ModelCall['parameters']['toolChoice'], expected: object | undefined][] = [
                [undefined, undefined],
                ['auto', { mode: 'AUTO' }],
                ['none', { mode: 'NONE' }],
                ['required', { mode: 'ANY' }],
                [{ name: 'get_time' }, { mode: 'ANY', allowedFunctionNames: ['get_time'] }],
            ];
            for (const [toolChoice, expected] of ways) {
                const body = await bodyOf({ parameters: { tools: TOOLS, ...(toolChoice && { toolChoice }) } });
                expect(body.toolConfig).to.equal(expected && { functionCallingConfig: expected });
                expect(body.tools).to.equal([
                    {
                        functionDeclarations: [
                            {
                                name: 'get_weather',
                                description: 'The weather of a city',
                                parametersJsonSchema: TOOLS[0]?.parameters,
                            },
                            { name: 'get_time' },
                        ],
                    },
                ]);
            }
            const body = await bodyOf({ parameters: { tools: [], toolChoice: 'auto' } });
            expect(body).to.not.include(['tools', 'toolConfig']);
        });
    });

    describe('answers', () => {
        it('with the thoughts, the text, the last counts and the finish of a recorded stream', async () => {
            expect(await wholeAnswer(answering(fixture('google-chat.sse')))).to.equal({
                text: 'Grüße aus 東京\n“ok”\u2028 \\n.',
                thoughts: 'The user greets… I greet back 🌸.',
                toolCalls: [],
                usage: {
                    inputFresh: 195,
                    cacheRead: 1_024,
                    cacheWrite: 0,
                    output: 87,
                    reasoning: 64,
                    isEstimated: false,
                },
                finish: 'stop',
                types: ['reasoning', 'reasoning', 'text', 'text', 'usage', 'finish'],
            });
        });

        it('with the tool calls of a recorded stream, under ids that hold for this turn only', async () => {
            const answer = await wholeAnswer(answering(fixture('google-tools.sse')));
            expect(answer).to.include({ text: 'Let me look.', finish: 'tool_calls' });
            expect(answer.toolCalls.map(({ id: _id, ...call }) => call)).to.equal([
                { name: 'get_weather', arguments: '{"city":"Zürich"}' },
                { name: 'get_time', arguments: '{}' },
            ]);
            const ids = answer.toolCalls.map(({ id }) => id);
            for (const [index, id] of ids.entries()) expect(id).to.match(new RegExp(`^call_[\\w-]{16}_${index}$`));

            const idsOf = async (call: ModelCall) => (await wholeAnswer(stream(call))).toolCalls.map(({ id }) => id);
            const { messages } = testCall(model);
            expect(await idsOf(testCall(model))).to.equal(ids);
            expect(await idsOf(testCall(model, 'Hi', { requestId: 'req_other' }))).to.not.equal(ids);
            expect(await idsOf(testCall(model, 'Hi', { messages: [...messages, ...messages] }))).to.not.equal(ids);
        });

        it('with a token before the provider has sent the next', async () => {
            const point = hold();
            const parts = answering(said('first'), point, said('second', 'STOP'))[Symbol.asyncIterator]();
            expect((await parts.next()).value).to.equal([{ type: 'text', delta: 'first' }]);
            point.release();
            expect((await parts.next()).value).to.equal([{ type: 'text', delta: 'second' }]);
            while (!(await parts.next()).done);
        });

        it('with the reasons to finish in our words', async () => {
            const filtered = ['SAFETY', 'RECITATION', 'LANGUAGE', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'SPII'];
            const failed = ['MALFORMED_FUNCTION_CALL', 'UNEXPECTED_TOOL_CALL', 'TOO_MANY_TOOL_CALLS'];
            const reasons = {
                STOP: 'stop',
                MAX_TOKENS: 'length',
                ...Object.fromEntries(filtered.map((reason) => [reason, 'content_filter'])),
                ...Object.fromEntries(failed.map((reason) => [reason, 'error'])),
                BRAND_NEW: 'stop',
                toString: 'stop',
            };
            for (const [theirs, ours] of Object.entries(reasons)) {
                expect((await wholeAnswer(answering(said('x', theirs)))).finish, theirs).to.equal(ours);
            }
        });

        it('with the content filter where the question was blocked', async () => {
            const blocked = { promptFeedback: { blockReason: 'SAFETY' }, usageMetadata: { promptTokenCount: 9 } };
            const { text, finish, usage } = await wholeAnswer(answering(chunk(blocked)));
            expect({ text, finish }).to.equal({ text: '', finish: 'content_filter' });
            expect(usage).to.include({ inputFresh: 9, output: 0, isEstimated: false });
        });

        it('with the last of each count, where a chunk leaves some out', async () => {
            const first = { promptTokenCount: 20, cachedContentTokenCount: 5, thoughtsTokenCount: 3 };
            const last = { candidatesTokenCount: 4, thoughtsTokenCount: 6, promptTokenCount: '9' };
            const { usage } = await wholeAnswer(
                answering(said('x', undefined, { usageMetadata: first }), said('y', 'STOP', { usageMetadata: last })),
            );
            expect(usage).to.equal({
                inputFresh: 15,
                cacheRead: 5,
                cacheWrite: 0,
                output: 10,
                reasoning: 6,
                isEstimated: false,
            });
        });

        it('with an estimate where there are no counts', async () => {
            expect((await wholeAnswer(answering(said('Hello', 'STOP')))).usage?.isEstimated).to.be.true();
        });

        it('with what it knows, past what it does not', async () => {
            const odd = [
                {},
                { candidates: null, usageMetadata: null, promptFeedback: {} },
                { candidates: [null] },
                { candidates: [{ content: null }] },
                { candidates: [{ content: { parts: [null, { text: 5 }, { executableCode: {} }] } }] },
            ];
            const { types } = await wholeAnswer(answering(...odd.map(chunk), said('x', 'STOP')));
            expect(types).to.equal(['text', 'usage', 'finish']);
        });
    });

    describe('fails', () => {
        const failed = (status: string, details?: object) =>
            chunk({ error: { code: 500, message: `It is ${status} of ${KEY}`, status, ...(details && { details }) } });
        const kinds: [status: string, code: ErrorCode][] = [
            ['UNAVAILABLE', 'PROVIDER_OVERLOADED'],
            ['RESOURCE_EXHAUSTED', 'PROVIDER_RATE_LIMITED'],
            ['UNAUTHENTICATED', 'PROVIDER_KEY_INVALID'],
            ['INTERNAL', 'PROVIDER_ERROR'],
        ];
        for (const [status, code] of kinds) {
            it(`with ${code} at ${status} in the middle of a stream`, async () => {
                const { error, text } = await failureOf(answering(said('Hello'), failed(status)));
                expect(text).to.equal('Hello');
                expect(error.data).to.equal({ code });
                expect(error.cause).to.be.an.error(`The provider failed: It is ${status} of [key]`);
            });
        }

        it('with PROVIDER_KEY_INVALID at a bad key, which Google answers with 400', async () => {
            const details = [null, { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' }];
            const error = { code: 400, message: 'API key not valid.', status: 'INVALID_ARGUMENT', details };
            provider.answer({ status: 400, steps: [JSON.stringify({ error })] });
            const failure = await failureOf(stream());
            expect(failure.error.data).to.equal({ code: 'PROVIDER_KEY_INVALID', details: { providerStatus: 400 } });
        });

        it('where an error has no form, or a tool call no name', async () => {
            for (const step of [chunk({ error: 'x' }), chunk({ error: { details: 5 } }), called(5, 'STOP')]) {
                const { error } = await failureOf(answering(said('x'), step));
                expect(error.data).to.equal({ code: 'PROVIDER_ERROR' });
            }
        });
    });
});
