import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import { Ollama } from 'ollama';
import OpenAI from 'openai';

import { startApp, type TestApp } from '../../../helpers/app.ts';
import { streamOf, wholeAnswer } from '../../../helpers/model.ts';
import { fixture, startProvider, type Provider } from '../../../helpers/provider.ts';
import { callOver, KEY, providersAt, WIRES } from '../../../helpers/wires.ts';

import type { Part } from '@google/genai';
import type { ToolCall } from '../../../../plugins/models/api.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

/** What a client read. */
interface Read {
    text: string;
    thoughts: string;
    toolCalls: Omit<ToolCall, 'id'>[];
    finish: string | null | undefined;
    input: number | undefined;
    output: number | undefined;
}

/** JSON without what spaces its writer liked. */
const plain = (json: string) => JSON.stringify(JSON.parse(json || '{}'));

async function readAnthropic(baseURL: string): Promise<Read> {
    const client = new Anthropic({ baseURL, apiKey: KEY, maxRetries: 0 });
    const messages = [{ role: 'user' as const, content: 'Hi' }];
    const message = await client.messages.stream({ model: 'm', max_tokens: 99, messages }).finalMessage();
    const { usage } = message;
    const read: Read = { ...nothing(), finish: message.stop_reason, output: usage.output_tokens };
    read.input = usage.input_tokens + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0);
    for (const block of message.content) {
        if (block.type === 'text') read.text += block.text;
        else if (block.type === 'thinking') read.thoughts += block.thinking;
        else if (block.type === 'tool_use') {
            read.toolCalls.push({ name: block.name, arguments: JSON.stringify(block.input) });
        }
    }
    return read;
}

async function readGoogle(baseUrl: string): Promise<Read> {
    const client = new GoogleGenAI({ apiKey: KEY, httpOptions: { baseUrl } });
    const chunks = await client.models.generateContentStream({ model: 'm', contents: 'Hi' });
    const read = nothing();
    for await (const { candidates = [], usageMetadata } of chunks) {
        for (const part of candidates[0]?.content?.parts ?? []) readPart(part, read);
        read.finish = candidates[0]?.finishReason;
        read.input = usageMetadata?.promptTokenCount;
        read.output = usageMetadata?.candidatesTokenCount;
    }
    return read;
}

function readPart({ text = '', thought, functionCall }: Part, read: Read): void {
    if (functionCall) {
        read.toolCalls.push({ name: String(functionCall.name), arguments: JSON.stringify(functionCall.args) });
    } else if (thought) read.thoughts += text;
    else read.text += text;
}

async function readChat(baseURL: string): Promise<Read> {
    const client = new OpenAI({ baseURL, apiKey: KEY, maxRetries: 0 });
    const completion = await client.chat.completions
        .stream({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] })
        .finalChatCompletion();
    const [choice] = completion.choices;
    const calls = (choice?.message.tool_calls ?? []).flatMap((call) => (call.type === 'function' ? call.function : []));
    return {
        ...nothing(),
        text: choice?.message.content ?? '',
        toolCalls: calls.map(({ name, arguments: args }) => ({ name, arguments: args })),
        finish: choice?.finish_reason,
        input: completion.usage?.prompt_tokens,
        output: completion.usage?.completion_tokens,
    };
}

async function readResponses(baseURL: string): Promise<Read> {
    const client = new OpenAI({ baseURL, apiKey: KEY, maxRetries: 0 });
    const response = await client.responses.stream({ model: 'm', input: 'Hi' }).finalResponse();
    const read: Read = { ...nothing(), text: response.output_text, finish: response.status };
    for (const item of response.output) {
        if (item.type === 'reasoning') read.thoughts += item.summary.map(({ text }) => text).join('');
        else if (item.type === 'function_call') read.toolCalls.push({ name: item.name, arguments: item.arguments });
    }
    return { ...read, input: response.usage?.input_tokens, output: response.usage?.output_tokens };
}

async function readOllama(host: string): Promise<Read> {
    const read = nothing();
    const messages = [{ role: 'user', content: 'Hi' }];
    for await (const line of await new Ollama({ host }).chat({ model: 'm', messages, stream: true })) {
        read.text += line.message.content;
        read.thoughts += line.message.thinking ?? '';
        for (const { function: called } of line.message.tool_calls ?? []) {
            read.toolCalls.push({ name: called.name, arguments: JSON.stringify(called.arguments) });
        }
        Object.assign(read, { finish: line.done_reason, input: line.prompt_eval_count, output: line.eval_count });
    }
    return read;
}

const nothing = (): Read => ({
    text: '',
    thoughts: '',
    toolCalls: [],
    finish: undefined,
    input: undefined,
    output: undefined,
});

const CLIENTS: Record<string, (url: string) => Promise<Read>> = {
    anthropic: readAnthropic,
    google: readGoogle,
    openai: readChat,
    'openai (Responses)': readResponses,
    ollama: readOllama,
};

/** As each provider says it, for the recorded answers. */
const FINISH: Record<string, string> = {
    'anthropic-messages.sse': 'end_turn',
    'anthropic-tools.sse': 'tool_use',
    'google-chat.sse': 'STOP',
    'google-tools.sse': 'STOP',
    'openai-chat.sse': 'stop',
    'openai-tools.sse': 'tool_calls',
    'openai-responses.sse': 'completed',
    'ollama-chat.ndjson': 'stop',
    'ollama-tools.ndjson': 'stop',
};

describe("The provider's own client", () => {
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

    for (const wire of WIRES) {
        for (const name of wire.recordings) {
            it(`reads the same as we do out of ${name}`, async () => {
                const type = name.endsWith('.sse') ? 'text/event-stream' : 'application/x-ndjson';
                provider.answer({ headers: { 'content-type': type }, steps: [fixture(name)] });
                const theirs = await CLIENTS[wire.name]?.(provider.url);
                const signal = new AbortController().signal;
                const ours = await wholeAnswer(streamOf(app.server.plugins.models, callOver(wire), signal));
                const { inputFresh = 0, cacheRead = 0, cacheWrite = 0, output = 0, reasoning = 0 } = ours.usage ?? {};
                expect(theirs).to.equal({
                    text: ours.text,
                    thoughts: ours.thoughts,
                    toolCalls: ours.toolCalls.map((call) => ({ name: call.name, arguments: plain(call.arguments) })),
                    finish: FINISH[name],
                    input: inputFresh + cacheRead + cacheWrite,
                    // Google counts its thoughts apart.
                    output: wire.name === 'google' ? output - reasoning : output,
                });
            });
        }
    }
});
