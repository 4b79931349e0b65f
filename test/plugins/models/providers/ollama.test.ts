import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../../helpers/app.ts';
import { failureOf, streamOf, testCall, testModel, wholeAnswer } from '../../../helpers/model.ts';
import { fixture, hold, startProvider, type Provider, type Step } from '../../../helpers/provider.ts';
import { CONVERSATION, TOOLS } from '../../../helpers/wires.ts';

import type { ModelCall } from '../../../../plugins/models/api.ts';

export const lab = Lab.script();
const { describe, it, before, after, beforeEach } = lab;

const RECORDED = fixture('ollama-chat.ndjson');
const line = (content: object) => `${JSON.stringify(content)}\n`;
const said = (content: string) => line({ message: { role: 'assistant', content }, done: false });
const done = (more: object = {}) => line({ message: { role: 'assistant', content: '' }, done: true, ...more });

describe('ollama()', () => {
    let app: TestApp;
    let provider: Provider;

    before(async () => {
        provider = await startProvider();
        app = await startApp({ config: { OLLAMA_URL: `${provider.url}/` } });
    });

    after(async () => {
        await app.stop();
        await provider.stop();
    });

    beforeEach(() => {
        provider.requests.length = 0;
    });

    const model = testModel({ provider: 'ollama', upstreamId: 'gemma:2b' });
    const stream = (call: ModelCall = testCall(model)) =>
        streamOf(app.server.plugins.models, call, new AbortController().signal);
    const answering = (...steps: Step[]) => {
        provider.answer({ headers: { 'content-type': 'application/x-ndjson' }, steps });
        return stream();
    };

    it('asks for a stream with the whole context of the model', async () => {
        await wholeAnswer(answering(RECORDED));
        const [request] = provider.requests;
        expect(request).to.include({ method: 'POST', path: '/api/chat' });
        expect(request?.headers).to.include({ 'content-type': 'application/json', 'accept-encoding': 'identity' });
        expect(request?.headers.authorization).to.be.undefined();
        expect(request?.body).to.equal({
            model: 'gemma:2b',
            messages: [{ role: 'user', content: 'How are you?' }],
            stream: true,
            options: { num_ctx: 8_192 },
        });
    });

    it('sends the temperature only when one was given', async () => {
        provider.answer({ steps: [RECORDED] });
        await wholeAnswer(
            stream(testCall(testModel({ provider: 'ollama' }), 'Hi', { parameters: { temperature: 0.5 } })),
        );
        expect(provider.requests[0]?.body).to.include({
            model: 'test-model',
            options: { num_ctx: 8_192, temperature: 0.5 },
        });
    });

    const bodyOf = async (call: Partial<ModelCall>) => {
        provider.answer({ steps: [RECORDED] });
        provider.requests.length = 0;
        const capable = { ...model, capabilities: ['tools', 'vision'] };
        await wholeAnswer(stream(testCall(capable, 'Hi', call)));
        return provider.requests[0]?.body;
    };

    it('sends images without their address, tool calls as objects, and results by the name of the tool', async () => {
        expect((await bodyOf({ messages: CONVERSATION })).messages).to.equal([
            { role: 'system', content: 'Be brief.' },
            { role: 'user', content: 'What is this?', images: ['iVBORw0KGgo='] },
            {
                role: 'assistant',
                content: '',
                tool_calls: [
                    { function: { name: 'get_weather', arguments: { city: 'Zürich' } } },
                    { function: { name: 'get_time', arguments: {} } },
                ],
            },
            { role: 'tool', content: '{"sky":"blue"}', tool_name: 'get_weather' },
            { role: 'tool', content: 'noon', tool_name: 'get_time' },
            { role: 'user', content: 'And now?' },
            { role: 'assistant', content: 'Now I know.' },
            { role: 'system', content: 'Be kind.' },
            { role: 'user', content: 'Thanks' },
            { role: 'user', content: 'a lot' },
        ]);
    });

    it('sends the parameters under its own names', async () => {
        const schema = { type: 'object' };
        const body = await bodyOf({
            parameters: {
                temperature: 0,
                topP: 0.5,
                maxTokens: 99,
                stop: ['END'],
                seed: 7,
                presencePenalty: 0.1,
                frequencyPenalty: 0.2,
                tools: TOOLS,
                responseFormat: { type: 'json_schema', name: 'x', schema },
            },
        });
        expect(body.options).to.equal({
            num_ctx: 8_192,
            num_predict: 99,
            temperature: 0,
            top_p: 0.5,
            stop: ['END'],
            seed: 7,
            presence_penalty: 0.1,
            frequency_penalty: 0.2,
        });
        expect(body.format).to.equal(schema);
        expect(body.tools).to.equal([
            { type: 'function', function: TOOLS[0] },
            { type: 'function', function: { name: 'get_time' } },
        ]);
        const json = await bodyOf({ parameters: { tools: [], responseFormat: { type: 'json_object' } } });
        expect(json.format).to.equal('json');
        expect(json).to.not.include('tools');
    });

    it('gives the tool calls of a recorded stream, with an id where there is none', async () => {
        const answer = await wholeAnswer(answering(fixture('ollama-tools.ndjson')));
        expect(answer).to.include({
            text: 'Let me look.',
            thoughts: 'I need the weather…',
            finish: 'tool_calls',
            usage: { inputFresh: 169, cacheRead: 0, cacheWrite: 0, output: 48, reasoning: 0, isEstimated: false },
        });
        const [first, second] = answer.toolCalls;
        expect(first).to.equal({ id: 'call_m4k2z7xq', name: 'get_weather', arguments: '{"city":"Zürich"}' });
        expect(second).to.include({ name: 'get_time', arguments: '{}' });
        expect(second?.id).to.match(/^call_[\w-]{16}_1$/);
    });

    it('gives the thoughts, the text, the usage and the finish of a recorded stream', async () => {
        expect(await wholeAnswer(answering(RECORDED))).to.equal({
            text: 'Grüße aus 東京🌸!\n',
            thoughts: 'The user greets…',
            toolCalls: [],
            usage: { inputFresh: 26, cacheRead: 0, cacheWrite: 0, output: 282, reasoning: 0, isEstimated: false },
            finish: 'stop',
            types: ['reasoning', 'reasoning', 'text', 'text', 'text', 'text', 'text', 'usage', 'finish'],
        });
    });

    it('gives a token before the provider has sent the next', async () => {
        const point = hold();
        const parts = answering(said('first'), point, said('second'), done())[Symbol.asyncIterator]();
        expect((await parts.next()).value).to.equal([{ type: 'text', delta: 'first' }]);
        point.release();
        expect((await parts.next()).value).to.equal([{ type: 'text', delta: 'second' }]);
        while (!(await parts.next()).done);
    });

    it('translates the reasons to finish', async () => {
        for (const [theirs, ours] of [
            ['stop', 'stop'],
            ['length', 'length'],
            ['unload', 'stop'],
        ]) {
            expect((await wholeAnswer(answering(said('x'), done({ done_reason: theirs })))).finish).to.equal(ours);
        }
    });

    it('estimates the input only where the count of the prompt is missing', async () => {
        const { usage } = await wholeAnswer(answering(said('Hello'), done({ eval_count: 9 })));
        expect(usage).to.equal({
            inputFresh: 7,
            cacheRead: 0,
            cacheWrite: 0,
            output: 9,
            reasoning: 0,
            isEstimated: true,
        });
    });

    it('estimates the usage where both counts are missing, with the thoughts', async () => {
        const thought = line({ message: { role: 'assistant', content: '', thinking: 'Hm, hm, hm' } });
        const { usage } = await wholeAnswer(answering(thought, said('Hello'), done({ prompt_eval_count: -1 })));
        expect(usage).to.equal({
            inputFresh: 7,
            cacheRead: 0,
            cacheWrite: 0,
            output: 5,
            reasoning: 3,
            isEstimated: true,
        });
    });

    it('passes over blank lines and what it does not know', async () => {
        const odd = [line({ message: null }), line({ message: { content: 5, thinking: {} } }), line({ more: 1 })];
        const { types } = await wholeAnswer(answering('\n\r\n', ...odd, said('x'), `${done()}  `));
        expect(types).to.equal(['text', 'usage', 'finish']);
    });

    it('fails where a line of a 200 says so', async () => {
        const { error, text } = await failureOf(answering(said('Hello'), line({ error: 'an error was encountered' })));
        expect(text).to.equal('Hello');
        expect(error.data?.code).to.equal('PROVIDER_ERROR');
        expect(error.cause).to.be.an.error('The provider failed: an error was encountered');
    });

    it('fails where a line says so without a word', async () => {
        const { error } = await failureOf(answering(line({ error: { code: 1 } })));
        expect(error.cause).to.be.an.error('The provider failed: null');
    });
});
