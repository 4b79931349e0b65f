import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import OpenAI from 'openai';

import { newKey } from '../../helpers/api-key.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { writeCatalogue } from '../../helpers/catalogue.ts';
import { openAiClient } from '../../helpers/openai.ts';
import { fixture, startProvider, type Provider } from '../../helpers/provider.ts';
import { newTenant } from '../../helpers/tenant.ts';
import { IMAGE, providersAt } from '../../helpers/wires.ts';

import type { ChatCompletionMessageParam, ChatCompletionTool } from 'openai/resources/chat/completions';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const question: ChatCompletionMessageParam = { role: 'user', content: 'How is the weather, and what time is it?' };
const tools: ChatCompletionTool[] = ['get_weather', 'get_time'].map((name) => ({
    type: 'function',
    function: { name, parameters: { type: 'object', properties: { city: { type: 'string' } } } },
}));
const capabilities = ['text', 'tools', 'vision'];
const temperature = false;

/** A model of each wire, with the recorded answers that call tools, and that follow on their results. */
const MODELS = [
    { id: 'by-anthropic', provider: 'anthropic', recorded: 'anthropic-tools.sse', after: 'anthropic-messages.sse' },
    { id: 'by-google', provider: 'google', recorded: 'google-tools.sse', after: 'google-chat.sse' },
    { id: 'by-ollama', provider: 'ollama', recorded: 'ollama-tools.ndjson', after: 'ollama-chat.ndjson' },
    { id: 'by-openai', provider: 'openai', recorded: 'openai-tools.sse', after: 'openai-chat.sse' },
    {
        id: 'by-responses',
        provider: 'openai',
        parameters: { temperature, toolsEndpoint: 'responses' },
        recorded: 'openai-responses.sse',
        after: 'openai-responses.sse',
    },
];

describe('tools and images, by the official client of OpenAI', () => {
    let app: TestApp;
    let provider: Provider;
    let client: OpenAI;

    before(async () => {
        provider = await startProvider();
        const models = MODELS.map(({ recorded: _recorded, after: _after, ...model }) => ({
            parameters: { temperature },
            ...model,
            capabilities,
        }));
        app = await startApp({
            listen: true,
            config: { ...providersAt(provider.url), CATALOGUE_FILE: writeCatalogue(models) },
        });
        const { secret } = await newKey(await newTenant(app), { scopes: ['model:call'] });
        client = openAiClient(app, secret);
    });

    after(async () => {
        await app.stop();
        await provider.stop();
    });

    const ask = (model: string, messages: ChatCompletionMessageParam[], isStreamed: boolean) =>
        isStreamed
            ? client.chat.completions.stream({ model, messages, tools }).finalChatCompletion()
            : client.chat.completions.create({ model, messages, tools });

    for (const { id, recorded, after: next } of MODELS) {
        for (const isStreamed of [false, true]) {
            it(`go to ${id} and come back ${isStreamed ? 'in a stream' : 'as a whole'}`, async () => {
                provider.answer({ steps: [fixture(recorded)] });
                const { choices } = await ask(id, [question], isStreamed);
                const [{ message, finish_reason: reason }] = choices as [OpenAI.ChatCompletion.Choice];
                expect(reason).to.equal('tool_calls');
                const calls = (message.tool_calls ?? []) as OpenAI.ChatCompletionMessageFunctionToolCall[];
                expect(calls.length).to.be.at.least(1);
                expect(calls.map((call) => call.function.name)).to.include('get_weather');
                for (const call of calls) expect(JSON.parse(call.function.arguments)).to.be.an.object();
                expect(new Set(calls.map((call) => call.id)).size).to.equal(calls.length);

                provider.answer({ steps: [fixture(next)] });
                const results = calls.map((call) => ({
                    role: 'tool' as const,
                    tool_call_id: call.id,
                    content: 'a result of the tool',
                }));
                const answer = await ask(id, [question, message, ...results], isStreamed);
                expect(answer.choices).to.have.length(1);
                const sent = JSON.stringify(provider.requests.at(-1)?.body);
                expect(sent.split('a result of the tool')).to.have.length(calls.length + 1);
                for (const name of ['get_weather', 'get_time']) expect(sent).to.contain(name);
            });
        }

        it(`bring an image to ${id}`, async () => {
            provider.answer({ steps: [fixture(next)] });
            const content = [
                { type: 'text' as const, text: 'What is this?' },
                { type: 'image_url' as const, image_url: { url: IMAGE } },
            ];
            await client.chat.completions.create({ model: id, messages: [{ role: 'user', content }], tools });
            const sent = JSON.stringify(provider.requests.at(-1)?.body);
            expect(sent).to.contain(IMAGE.slice('data:image/png;base64,'.length));
        });
    }
});
