import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { Answer, chunkPieces, ChunkWriter, toCompletion } from '../../../plugins/openai/completion.ts';
import { PartQueue } from '../../../plugins/openai/part-queue.ts';
import { apiError } from '../../../src/http/errors.ts';

import type { StreamPart, Usage } from '../../../plugins/models/api.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const head = { id: 'chatcmpl_1', created: 1, model: 'm' };
const usage: Usage = { inputFresh: 1, cacheRead: 2, cacheWrite: 4, output: 8, reasoning: 3, isEstimated: false };
const text = (delta: string): StreamPart => ({ type: 'text', delta });
const END: StreamPart[] = [
    { type: 'usage', usage },
    { type: 'finish', reason: 'tool_calls' },
];
/** Two calls side by side, in pieces. */
const CALLS: StreamPart[] = [
    { type: 'tool-call', index: 0, id: 'call_a', name: 'weather', argumentsDelta: '' },
    { type: 'tool-call', index: 0, argumentsDelta: '{"city":' },
    { type: 'tool-call', index: 1, id: 'call_b', name: 'time', argumentsDelta: '{}' },
    { type: 'tool-call', index: 0, argumentsDelta: '"Lisbon"}' },
];

const heard = (...parts: StreamPart[]): Answer => {
    const answer = new Answer();
    for (const part of parts) answer.hear(part);
    return answer;
};
const messageOf = (...parts: StreamPart[]) =>
    (toCompletion(head, heard(...parts)) as { choices: { message: Record<string, unknown> }[] }).choices[0]?.message;

/** The chunks of an answer whose parts come in one batch. */
async function chunksOf(parts: StreamPart[], withUsage = false) {
    const pieces = await piecesOf([parts], withUsage);
    const data = pieces.join('').split('\n\n').filter(Boolean);
    return data.map((line) => line.slice('data: '.length));
}

async function piecesOf(batches: StreamPart[][], withUsage = false, failure?: Error): Promise<string[]> {
    async function* source() {
        yield* batches;
        if (failure) throw failure;
    }
    const pieces: string[] = [];
    for await (const piece of chunkPieces(source(), new ChunkWriter(head, withUsage), 'req_1')) pieces.push(piece);
    return pieces;
}

const deltas = (chunks: string[]) =>
    chunks.filter((chunk) => chunk !== '[DONE]').map((chunk) => JSON.parse(chunk).choices[0]?.delta);

describe('toCompletion', () => {
    it('has what the model said, thought, used and why it ended', () => {
        expect(toCompletion(head, heard({ type: 'reasoning', delta: 'Hm' }, text('Hel'), text('lo'), ...END))).to.equal(
            {
                ...head,
                object: 'chat.completion',
                choices: [
                    {
                        index: 0,
                        message: { role: 'assistant', content: 'Hello', refusal: null, reasoning_content: 'Hm' },
                        logprobs: null,
                        finish_reason: 'tool_calls',
                    },
                ],
                usage: {
                    prompt_tokens: 7,
                    completion_tokens: 8,
                    total_tokens: 15,
                    prompt_tokens_details: { cached_tokens: 2 },
                    completion_tokens_details: { reasoning_tokens: 3 },
                },
            },
        );
    });

    it('puts the pieces of each tool call together, with no content where there is no text', () => {
        expect(messageOf(...CALLS)).to.equal({
            role: 'assistant',
            content: null,
            refusal: null,
            tool_calls: [
                { id: 'call_a', type: 'function', function: { name: 'weather', arguments: '{"city":"Lisbon"}' } },
                { id: 'call_b', type: 'function', function: { name: 'time', arguments: '{}' } },
            ],
        });
        expect(messageOf(text('One moment'), ...CALLS)).to.include({ content: 'One moment' });
    });

    it('has an empty text where the model said nothing', () => {
        expect(messageOf()).to.equal({ role: 'assistant', content: '', refusal: null });
    });

    it('has whole characters only', () => {
        expect(messageOf(text('a\ud83d'))).to.include({ content: 'a\ufffd' });
    });
});

describe('chunkPieces', () => {
    it('writes each batch in one piece: the role before the first, finish and [DONE] in the last', async () => {
        const pieces = await piecesOf([[text('a'), text('b')], [text('c')], END]);
        expect(pieces).to.have.length(3);
        expect(pieces.map((piece) => piece.match(/^data: /gm)?.length)).to.equal([3, 1, 2]);
        expect(pieces[2])
            .to.include('"finish_reason":"tool_calls"')
            .and.to.match(/data: \[DONE\]\n\n$/);
    });

    it('writes thoughts and tool calls as clients put them together', async () => {
        expect(deltas(await chunksOf([{ type: 'reasoning', delta: 'Hm' }, ...CALLS, ...END]))).to.equal([
            { role: 'assistant', content: '', refusal: null },
            { reasoning_content: 'Hm' },
            {
                tool_calls: [
                    { index: 0, id: 'call_a', type: 'function', function: { name: 'weather', arguments: '' } },
                ],
            },
            { tool_calls: [{ index: 0, function: { arguments: '{"city":' } }] },
            { tool_calls: [{ index: 1, id: 'call_b', type: 'function', function: { name: 'time', arguments: '{}' } }] },
            { tool_calls: [{ index: 0, function: { arguments: '"Lisbon"}' } }] },
            {},
        ]);
    });

    it('has an answer without a word begin and end', async () => {
        expect(deltas(await chunksOf(END))).to.equal([{ role: 'assistant', content: '', refusal: null }, {}]);
    });

    it('tells the usage where it is wanted, last and alone', async () => {
        const chunks = await chunksOf([text('a'), ...END], true);
        expect(chunks.at(-1)).to.equal('[DONE]');
        const last = JSON.parse(chunks.at(-2) ?? '');
        expect(last.choices).to.equal([]);
        expect(last.usage.total_tokens).to.equal(15);
        expect(chunks.slice(0, -2).map((chunk) => JSON.parse(chunk).usage)).to.equal([null, null, null]);
    });

    it('ends with the error where the call failed', async () => {
        const pieces = await piecesOf([[text('a')]], true, apiError('PROVIDER_TIMEOUT'));
        const { error } = JSON.parse((pieces.at(-1) ?? '').slice('data: '.length));
        expect(error).to.include({ type: 'server_error', code: 'provider_timeout' });
        expect(pieces.join('')).to.not.include('[DONE]');
    });
});

describe('PartQueue', () => {
    it('gives what came together at once, and all that came while its reader was busy', async () => {
        const queue = new PartQueue();
        const batches = queue.batches();
        const first = batches.next();
        queue.push([text('a'), text('b')]);
        expect((await first).value).to.equal([text('a'), text('b')]);
        queue.push([text('c')]);
        queue.push([text('d'), text('e')]);
        queue.end();
        expect((await batches.next()).value).to.equal([text('c'), text('d'), text('e')]);
        expect((await batches.next()).done).to.be.true();
    });

    it('fails after the parts that are there', async () => {
        const queue = new PartQueue();
        queue.push([text('a')]);
        queue.end(apiError('PROVIDER_ERROR'));
        const batches = queue.batches();
        expect((await batches.next()).value).to.equal([text('a')]);
        await expect(batches.next()).to.reject();
    });
});
