import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import OpenAI from 'openai';

import { Answer, chunkPieces, ChunkWriter, toCompletion } from '../../../plugins/openai/completion.ts';
import { completionPayload, type CompletionRequest } from '../../../plugins/openai/request-schema.ts';
import { toMessages, toParameters } from '../../../plugins/openai/to-call.ts';

import type { ChatCompletionMessageParam, ChatCompletionTool } from 'openai/resources/chat/completions';
import type { StreamPart } from '../../../plugins/models/api.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const head = { id: 'chatcmpl_1', created: 1, model: 'm' };
const question: ChatCompletionMessageParam = { role: 'user', content: 'How is the weather?' };
const tools: ChatCompletionTool[] = [
    { type: 'function', function: { name: 'weather', parameters: { type: 'object' } } },
];
const PARTS: StreamPart[] = [
    { type: 'text', delta: 'Let me look' },
    { type: 'tool-call', index: 0, id: 'call_a', name: 'weather', argumentsDelta: '' },
    { type: 'tool-call', index: 0, argumentsDelta: '{"city":"Lisbon"}' },
    { type: 'tool-call', index: 1, id: 'call_b', name: 'weather', argumentsDelta: '{"city":' },
    { type: 'tool-call', index: 1, argumentsDelta: '"Porto"}' },
    {
        type: 'usage',
        usage: { inputFresh: 1, cacheRead: 0, cacheWrite: 0, output: 1, reasoning: 0, isEstimated: false },
    },
    { type: 'finish', reason: 'tool_calls' },
];

/** The official client at a server that reads and writes as ours does, with what the requests came to. */
function clientOfParts() {
    const read: CompletionRequest[] = [];
    const answer = async (body: CompletionRequest): Promise<Response> => {
        if (!body.stream) {
            const heard = new Answer();
            for (const part of PARTS) heard.hear(part);
            return Response.json(toCompletion(head, heard));
        }
        async function* batches() {
            yield PARTS;
        }
        let text = '';
        for await (const piece of chunkPieces(batches(), new ChunkWriter(head, true), 'req_1')) text += piece;
        return new Response(text, { headers: { 'content-type': 'text/event-stream' } });
    };
    const client = new OpenAI({
        apiKey: 'a key of the test',
        fetch: async (_url, options) => {
            const { value, error } = completionPayload.validate(JSON.parse(options?.body as string));
            if (error) throw error;
            read.push(value as CompletionRequest);
            return answer(value as CompletionRequest);
        },
    });
    return { client, read };
}

describe('tools, by way of the official client', () => {
    for (const isStreamed of [false, true]) {
        it(`are asked for and answered ${isStreamed ? 'in a stream' : 'as a whole'}`, async () => {
            const { client, read } = clientOfParts();
            const ask = async (messages: ChatCompletionMessageParam[]) => {
                const request = { model: 'm', messages, tools };
                return isStreamed
                    ? client.chat.completions.stream(request).finalChatCompletion()
                    : client.chat.completions.create(request);
            };
            const { choices, usage } = await ask([question]);
            const [choice] = choices;
            expect(choice?.finish_reason).to.equal('tool_calls');
            expect(choice?.message.content).to.equal('Let me look');
            expect(usage?.total_tokens).to.equal(2);
            const calls = choice?.message.tool_calls ?? [];
            expect(calls.map((call) => call.type === 'function' && call.function.arguments)).to.equal([
                '{"city":"Lisbon"}',
                '{"city":"Porto"}',
            ]);
            const results = calls.map(({ id }) => ({ role: 'tool' as const, tool_call_id: id, content: 'Sun' }));
            await ask([question, choice?.message as ChatCompletionMessageParam, ...results]);
            const request = read.at(-1) as CompletionRequest;
            expect(toParameters(request).tools).to.equal([{ name: 'weather', parameters: { type: 'object' } }]);
            expect(toMessages(request).slice(1)).to.equal([
                {
                    role: 'assistant',
                    content: 'Let me look',
                    toolCalls: [
                        { id: 'call_a', name: 'weather', arguments: '{"city":"Lisbon"}' },
                        { id: 'call_b', name: 'weather', arguments: '{"city":"Porto"}' },
                    ],
                },
                { role: 'tool', content: 'Sun', toolCallId: 'call_a' },
                { role: 'tool', content: 'Sun', toolCallId: 'call_b' },
            ]);
        });
    }
});
