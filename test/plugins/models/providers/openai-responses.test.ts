import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../../helpers/app.ts';
import { failureOf, streamOf, testCall, testModel, wholeAnswer } from '../../../helpers/model.ts';
import { fixture, startProvider, type Provider, type Step } from '../../../helpers/provider.ts';
import { CONVERSATION, IMAGE, KEY, providersAt, TOOLS } from '../../../helpers/wires.ts';

import type { ModelCall } from '../../../../plugins/models/api.ts';
import type { ErrorCode } from '../../../../src/http/errors.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const event = (data: { type: string } & Record<string, unknown>) =>
    `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
const said = (delta: string) => event({ type: 'response.output_text.delta', delta });
const completed = event({ type: 'response.completed', response: {} });

describe('openAi() with Responses', () => {
    let app: TestApp;
    let provider: Provider;

    before(async () => {
        provider = await startProvider();
        app = await startApp({ config: { ...providersAt(provider.url), OPENAI_BASE_URL: `${provider.url}/v1` } });
    });

    after(async () => {
        await app.stop();
        await provider.stop();
    });

    const model = testModel({
        capabilities: ['tools', 'vision', 'reasoning'],
        parameters: { temperature: false, toolsEndpoint: 'responses' },
    });
    const withTools = (call: Partial<ModelCall> = {}) =>
        testCall(model, 'Hi', { ...call, parameters: { tools: TOOLS, ...call.parameters } });
    const stream = (call: ModelCall = withTools()) =>
        streamOf(app.server.plugins.models, call, new AbortController().signal);
    const answering = (...steps: Step[]) => {
        provider.answer({ headers: { 'content-type': 'text/event-stream' }, steps });
        return stream();
    };
    const requestOf = async (call: ModelCall) => {
        provider.answer(({ path }) => ({
            steps: [fixture(path === '/v1/responses' ? 'openai-responses.sse' : 'openai-chat.sse')],
        }));
        provider.requests.length = 0;
        await wholeAnswer(stream(call));
        return provider.requests[0];
    };

    it('asks there for calls with tools of models that take them nowhere else', async () => {
        const request = await requestOf(withTools());
        expect(request).to.include({ method: 'POST', path: '/v1/responses' });
        expect(request?.headers).to.include({
            authorization: `Bearer ${KEY}`,
            'x-client-request-id': 'req_of_the_test',
        });
        expect(request?.body).to.equal({
            model: 'test-model',
            input: [{ role: 'user', content: [{ type: 'input_text', text: 'Hi' }] }],
            tools: [
                { type: 'function', ...TOOLS[0], strict: false },
                { type: 'function', name: 'get_time', parameters: null, strict: true },
            ],
            store: false,
            stream: true,
            stream_options: { include_obfuscation: false },
        });
        for (const call of [
            testCall(model),
            withTools({ parameters: { tools: [] } }),
            withTools({ model: testModel() }),
        ]) {
            expect((await requestOf(call))?.path).to.equal('/v1/chat/completions');
        }
    });

    it('sends images, tool calls and their results', async () => {
        expect((await requestOf(withTools({ messages: CONVERSATION })))?.body.input).to.equal([
            { role: 'system', content: 'Be brief.' },
            {
                role: 'user',
                content: [
                    { type: 'input_text', text: 'What is this?' },
                    { type: 'input_image', image_url: IMAGE, detail: 'auto' },
                ],
            },
            { type: 'function_call', call_id: 'call_1', name: 'get_weather', arguments: '{"city":"Zürich"}' },
            { type: 'function_call', call_id: 'call_2', name: 'get_time', arguments: 'not JSON' },
            { type: 'function_call_output', call_id: 'call_1', output: '{"sky":"blue"}' },
            { type: 'function_call_output', call_id: 'call_2', output: 'noon' },
            { role: 'user', content: [{ type: 'input_text', text: 'And now?' }] },
            { role: 'assistant', content: 'Now I know.' },
            { role: 'system', content: 'Be kind.' },
            { role: 'user', content: [{ type: 'input_text', text: 'Thanks' }] },
            { role: 'user', content: [{ type: 'input_text', text: 'a lot' }] },
        ]);
    });

    it('sends the parameters under its own names', async () => {
        const responseFormat = { type: 'json_schema' as const, name: 'x', schema: { type: 'object' }, strict: true };
        const parameters: ModelCall['parameters'] = {
            temperature: 0,
            topP: 0.5,
            maxTokens: 99,
            reasoningEffort: 'low',
            responseFormat,
            toolChoice: { name: 'get_time' },
            parallelToolCalls: false,
        };
        const request = await requestOf(withTools({ parameters }));
        expect(request?.body).to.include({
            temperature: 0,
            top_p: 0.5,
            max_output_tokens: 99,
            reasoning: { effort: 'low' },
            text: { format: responseFormat },
            tool_choice: { type: 'function', name: 'get_time' },
            parallel_tool_calls: false,
        });
        const required = await requestOf(withTools({ parameters: { toolChoice: 'required' } }));
        expect(required?.body.tool_choice).to.equal('required');
    });

    it('gives the thoughts, the text, the tool calls, the usage and the finish of a recorded stream', async () => {
        expect(await wholeAnswer(answering(fixture('openai-responses.sse')))).to.equal({
            text: 'Let me look 🌸.',
            thoughts: 'The user asks…',
            toolCalls: [
                { id: 'call_Hq2Zt6XnB8vLk3Ws', name: 'get_weather', arguments: '{"city":"Zürich"}' },
                { id: 'call_Mf5Gy9DaC1rPj7Eo', name: 'get_time', arguments: '{}' },
            ],
            usage: {
                inputFresh: 67,
                cacheRead: 1_024,
                cacheWrite: 128,
                output: 87,
                reasoning: 64,
                isEstimated: false,
            },
            finish: 'tool_calls',
            types: [
                ...(['reasoning', 'reasoning', 'text', 'text'] as const),
                ...Array<'tool-call'>(5).fill('tool-call'),
                'usage',
                'finish',
            ],
        });
    });

    it('gives the text of a refusal, and thoughts in full where they come so', async () => {
        const { text, thoughts } = await wholeAnswer(
            answering(
                event({ type: 'response.reasoning_text.delta', delta: 'Hm.' }),
                event({ type: 'response.refusal.delta', delta: 'I cannot.' }),
                completed,
            ),
        );
        expect({ text, thoughts }).to.equal({ text: 'I cannot.', thoughts: 'Hm.' });
    });

    it('tells why an answer is not complete', async () => {
        for (const [theirs, ours] of [
            ['max_output_tokens', 'length'],
            ['content_filter', 'content_filter'],
            [undefined, 'length'],
        ]) {
            const response = { incomplete_details: theirs ? { reason: theirs } : null, usage: { input_tokens: 9 } };
            const { finish } = await wholeAnswer(
                answering(said('x'), event({ type: 'response.incomplete', response })),
            );
            expect(finish).to.equal(ours);
        }
        expect((await wholeAnswer(answering(said('x'), completed))).finish).to.equal('stop');
    });

    it('passes over what it does not know', async () => {
        const odd = [
            event({ type: 'response.output_item.added', item: null }),
            event({ type: 'response.output_item.added', item: { type: 'web_search_call' } }),
            event({ type: 'response.output_text.delta', delta: 5 }),
            event({ type: 'response.output_text.delta' }),
            event({ type: 'brand.new', delta: 'y' }),
        ];
        const { types } = await wholeAnswer(answering(...odd, said('x'), event({ type: 'response.completed' })));
        expect(types).to.equal(['text', 'usage', 'finish']);
    });

    const failures: [code: string, ours: ErrorCode, details?: object][] = [
        ['server_error', 'PROVIDER_ERROR'],
        ['rate_limit_exceeded', 'PROVIDER_RATE_LIMITED'],
        ['insufficient_quota', 'PROVIDER_RATE_LIMITED', { reason: 'quota' }],
        ['server_is_overloaded', 'PROVIDER_OVERLOADED'],
    ];
    for (const [code, ours, details] of failures) {
        it(`fails with ${ours} at ${code} in the middle of a stream, in each of its forms`, async () => {
            const error = { code, message: `It is ${code} of ${KEY}` };
            const forms = [
                event({ type: 'response.failed', response: { status: 'failed', error } }),
                event({ type: 'error', ...error, param: null }),
                event({ type: 'error', error: { type: 'x', ...error } }),
            ];
            for (const form of forms) {
                const { error: found, text } = await failureOf(answering(said('Hello'), form));
                expect(text).to.equal('Hello');
                expect(found.data).to.equal({ code: ours, ...(details && { details }) });
                expect(found.cause).to.be.an.error(`The provider failed: It is ${code} of [key]`);
            }
        });
    }

    it('fails where a response failed without a word, or a tool call has no name', async () => {
        const item = { type: 'function_call', call_id: 'call_1' };
        for (const step of [
            event({ type: 'response.failed', response: null }),
            event({ type: 'error' }),
            event({ type: 'response.output_item.added', output_index: 0, item }),
            event({ type: 'response.function_call_arguments.delta', output_index: 0, delta: '{' }),
        ]) {
            const { error } = await failureOf(answering(said('x'), step));
            expect(error.data).to.equal({ code: 'PROVIDER_ERROR' });
        }
    });
});
