import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../../helpers/app.ts';
import { failureOf, streamOf, testCall, testModel, wholeAnswer } from '../../../helpers/model.ts';
import { fixture, startProvider, type Provider, type Step } from '../../../helpers/provider.ts';
import { CONVERSATION, IMAGE, providersAt, TOOLS } from '../../../helpers/wires.ts';

import type { ModelCall } from '../../../../plugins/models/api.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const delta = (content: object, finish: string | null = null) =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta: content, finish_reason: finish }], usage: null })}\n\n`;
const toolDelta = (...calls: (object | null)[]) => delta({ tool_calls: calls });

describe('openAi() with Chat Completions', () => {
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

    const model = testModel({ capabilities: ['tools', 'vision', 'reasoning'] });
    const stream = (call: ModelCall = testCall(model)) =>
        streamOf(app.server.plugins.models, call, new AbortController().signal);
    const answering = (...steps: Step[]) => {
        provider.answer({ headers: { 'content-type': 'text/event-stream' }, steps });
        return stream();
    };
    const bodyOf = async (call: Partial<ModelCall>) => {
        provider.answer({ steps: [fixture('openai-tools.sse')] });
        provider.requests.length = 0;
        await wholeAnswer(stream(testCall(model, 'Hi', call)));
        return provider.requests[0]?.body;
    };

    it('sends images, tool calls and their results', async () => {
        expect((await bodyOf({ messages: CONVERSATION })).messages).to.equal([
            { role: 'system', content: 'Be brief.' },
            {
                role: 'user',
                content: [
                    { type: 'text', text: 'What is this?' },
                    { type: 'image_url', image_url: { url: IMAGE } },
                ],
            },
            {
                role: 'assistant',
                content: null,
                tool_calls: [
                    {
                        id: 'call_1',
                        type: 'function',
                        function: { name: 'get_weather', arguments: '{"city":"Zürich"}' },
                    },
                    { id: 'call_2', type: 'function', function: { name: 'get_time', arguments: 'not JSON' } },
                ],
            },
            { role: 'tool', tool_call_id: 'call_1', content: '{"sky":"blue"}' },
            { role: 'tool', tool_call_id: 'call_2', content: 'noon' },
            { role: 'user', content: 'And now?' },
            { role: 'assistant', content: 'Now I know.' },
            { role: 'system', content: 'Be kind.' },
            { role: 'user', content: 'Thanks' },
            { role: 'user', content: 'a lot' },
        ]);
    });

    it('sends the parameters under its own names', async () => {
        const {
            model: _model,
            messages: _messages,
            stream: _stream,
            stream_options: _options,
            ...rest
        } = await bodyOf({
            parameters: {
                temperature: 0,
                topP: 0.5,
                maxTokens: 99,
                stop: ['END'],
                seed: 7,
                presencePenalty: 0.1,
                frequencyPenalty: 0.2,
                reasoningEffort: 'low',
                responseFormat: { type: 'json_schema', name: 'x', schema: { type: 'object' }, strict: true },
            },
        });
        expect(rest).to.equal({
            temperature: 0,
            top_p: 0.5,
            max_tokens: 99,
            stop: ['END'],
            seed: 7,
            presence_penalty: 0.1,
            frequency_penalty: 0.2,
            reasoning_effort: 'low',
            response_format: {
                type: 'json_schema',
                json_schema: { name: 'x', schema: { type: 'object' }, strict: true },
            },
        });
        const json = await bodyOf({ parameters: { responseFormat: { type: 'json_object' } } });
        expect(json.response_format).to.equal({ type: 'json_object' });
    });

    it('sends the limit in the field that the model has for it', async () => {
        const parameters = { ...model.parameters, maxTokensField: 'max_completion_tokens' };
        const body = await bodyOf({ model: { ...model, parameters }, parameters: { maxTokens: 99 } });
        expect(body).to.include({ max_completion_tokens: 99 });
        expect(body).to.not.include('max_tokens');
    });

    it('sends tools, and which of them the call wants', async () => {
        const tools = TOOLS.map((tool) => ({ type: 'function', function: tool }));
        const ways: [choice: ModelCall['parameters']['toolChoice'], expected: unknown][] = [
            [undefined, undefined],
            ['none', 'none'],
            ['required', 'required'],
            [{ name: 'get_time' }, { type: 'function', function: { name: 'get_time' } }],
        ];
        for (const [toolChoice, expected] of ways) {
            const body = await bodyOf({ parameters: { tools: TOOLS, ...(toolChoice && { toolChoice }) } });
            expect(body.tools).to.equal(tools);
            expect(body.tool_choice).to.equal(expected);
        }
        const single = await bodyOf({ parameters: { tools: TOOLS, parallelToolCalls: false } });
        expect(single.parallel_tool_calls).to.be.false();
        const none = await bodyOf({ parameters: { tools: [], toolChoice: 'auto', parallelToolCalls: false } });
        expect(none).to.not.include(['tools', 'tool_choice', 'parallel_tool_calls']);
    });

    it('gives the tool calls, the usage and the finish of a recorded stream', async () => {
        expect(await wholeAnswer(answering(fixture('openai-tools.sse')))).to.equal({
            text: '',
            thoughts: '',
            toolCalls: [
                { id: 'call_Zx3Nq8VbT1mKs5Yw', name: 'get_weather', arguments: '{"city":"Zürich"}' },
                { id: 'call_Pd7Rw2LcJ9hFe4Ub', name: 'get_time', arguments: '{}' },
            ],
            usage: { inputFresh: 82, cacheRead: 0, cacheWrite: 0, output: 51, reasoning: 0, isEstimated: false },
            finish: 'tool_calls',
            types: [...Array<'tool-call'>(6).fill('tool-call'), 'usage', 'finish'],
        });
    });

    it('gives the id and the name of a tool call once, at its beginning', async () => {
        const call = (args: string) => toolDelta({ index: 4, id: 'call_a', function: { name: 'f', arguments: args } });
        const parts = [];
        for await (const batch of answering(call('{'), call('}'), delta({}, 'tool_calls'))) parts.push(...batch);
        expect(parts.slice(0, 2)).to.equal([
            { type: 'tool-call', index: 0, id: 'call_a', name: 'f', argumentsDelta: '{' },
            { type: 'tool-call', index: 0, argumentsDelta: '}' },
        ]);
    });

    it('makes up for what servers leave out: ids, arguments, and why they stopped', async () => {
        const { toolCalls, finish } = await wholeAnswer(
            answering(toolDelta({ function: { name: 'f' } }), delta({}, 'stop')),
        );
        expect(toolCalls).to.have.length(1);
        expect(toolCalls[0]).to.include({ name: 'f', arguments: '{}' });
        expect(toolCalls[0]?.id).to.match(/^call_[\w-]{16}_0$/);
        expect(finish).to.equal('tool_calls');
    });

    it('makes up no arguments for a tool call that was cut off', async () => {
        const { toolCalls, finish } = await wholeAnswer(
            answering(toolDelta({ index: 0, id: 'a', function: { name: 'f' } }), delta({}, 'length')),
        );
        expect(toolCalls).to.equal([{ id: 'a', name: 'f', arguments: '' }]);
        expect(finish).to.equal('length');
    });

    it('gives the thoughts of servers that send them', async () => {
        const { thoughts, text } = await wholeAnswer(
            answering(delta({ reasoning_content: 'Hm.' }), delta({ content: 'x' }, 'stop')),
        );
        expect({ thoughts, text }).to.equal({ thoughts: 'Hm.', text: 'x' });
    });

    it('fails at a tool call without a name', async () => {
        for (const call of [null, {}, { index: 0, id: 'a' }, { function: { name: 5 } }]) {
            const { error } = await failureOf(answering(toolDelta(call)));
            expect(error.data).to.equal({ code: 'PROVIDER_ERROR' });
            expect(error.cause).to.be.an.error('The provider sent a tool call without a name');
        }
    });
});
