import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { estimateTokens, textOf } from '../../../plugins/models/api.ts';
import { estimateUsage } from '../../../plugins/models/estimate.ts';
import {
    askForSummary,
    cutTokens,
    draftSummary,
    summaryLimit,
    summaryParameters,
} from '../../../plugins/threads/summarize.ts';
import { isAfter } from '../../../plugins/threads/summary-codec.ts';
import { newCaller } from '../../helpers/model-caller.ts';
import { testCall, testModel } from '../../helpers/model.ts';
import { hold, startProvider } from '../../helpers/provider.ts';

import type { ModelCall } from '../../../plugins/models/api.ts';
import type { Message } from '../../../plugins/threads/api.ts';
import type { Summary } from '../../../plugins/threads/summary-codec.ts';
import type { Step } from '../../helpers/provider.ts';

export const lab = Lab.script();
const { describe, it } = lab;

/** Messages by their texts, a question and its answer in turn, with entries from `1-0` on. */
const messagesOf = (...contents: string[]) =>
    contents.map((content, n) => ({
        entryId: `${n + 1}-0`,
        message: {
            id: `msg_${n}`,
            role: n % 2 === 0 ? 'user' : 'assistant',
            content,
            replyTo: n % 2 === 0 ? null : `msg_${n - 1}`,
        } as Message,
    }));

const summaryOf = (text: string): Summary => ({
    text,
    tokens: estimateTokens(text),
    generatedAt: '2026-11-20T10:40:00.000Z',
    modelUsed: 'test-model',
    upTo: '0-1',
    count: 1,
});

const draft = (contents: string[], summary: Summary | null = null, contextLength = 8_192) =>
    draftSummary(testModel({ contextLength }), { summary, messages: messagesOf(...contents) });

describe('draftSummary()', () => {
    it('asks for the messages, and goes as far as they do', () => {
        const { messages, upTo } = draft(['One', 'First', 'Two', 'Second']) ?? {};
        expect(messages?.map(({ role }) => role)).to.equal(['system', 'user']);
        expect(messages?.[1]?.content).to.equal(
            'Messages:\nuser: One\n\nassistant: First\n\nuser: Two\n\nassistant: Second',
        );
        expect(upTo).to.equal('4-0');
    });

    it('has nothing to ask without an answer, or when all of them failed without a word', () => {
        for (const contents of [[], ['One'], ['One', ''], ['One', '', 'Two', '', 'Three']]) {
            expect(draft(contents), contents.join()).to.be.null();
        }
    });

    it('leaves out questions that failed, covers them all the same, and leaves the last question', () => {
        const { messages, upTo } = draft(['One', 'First', 'Two', '', 'Three']) ?? {};
        expect(messages?.[1]?.content).to.equal('Messages:\nuser: One\n\nassistant: First');
        expect(upTo).to.equal('4-0');
    });

    it('goes from the oldest on as far as the model has room', () => {
        const { messages, upTo } = draft(['a'.repeat(8_000), 'b'.repeat(8_000), 'c'.repeat(20_000), 'd']) ?? {};
        expect(messages?.[1]?.content).to.include('assistant: b').and.not.include('user: c');
        expect(upTo).to.equal('2-0');
    });

    it('cuts a message that has no room alone, rather than never to get past it', () => {
        const { messages, upTo } = draft(['a'.repeat(100_000), 'b']) ?? {};
        expect(upTo).to.equal('1-0');
        const tokens = (messages ?? []).reduce((sum, { content }) => sum + estimateTokens(textOf(content)), 0);
        expect(tokens).to.be.within(6_000, 6_150);
    });

    it('leaves a small model the room for messages beside the summary there is', () => {
        const { messages } = draft(['One', 'First'], summaryOf('s'.repeat(2_800)), 1_024) ?? {};
        const [earlier = '', said = ''] = textOf(messages?.[1]?.content ?? '').split('\n\nMessages:\n');
        expect(estimateTokens(earlier)).to.be.below(270);
        expect(said).to.equal('user: One\n\nassistant: First');
    });
});

describe('the length of a summary', () => {
    it('is 700 tokens at most, and less for a small model; thoughts are not counted', () => {
        expect(summaryLimit(testModel())).to.equal(700);
        expect(summaryLimit(testModel({ contextLength: 256 }))).to.equal(64);
        expect(summaryParameters(testModel())).to.equal({ maxTokens: 700 });
        const reasoning = testModel({ capabilities: ['text', 'reasoning'] });
        expect(summaryParameters(reasoning)).to.equal({ maxTokens: 2_700, reasoningEffort: 'low' });
    });

    it('is cut between characters of any size', () => {
        expect(cutTokens('short', 2)).to.equal('short');
        expect(cutTokens('exactly8', 2)).to.equal('exactly8');
        expect(cutTokens('and more', 1)).to.equal('and ');
        for (const character of ['é', '€', '🌍']) {
            const cut = cutTokens(`a${character.repeat(10)}`, 2);
            expect(cut, character).to.match(new RegExp(`^a(${character})+$`, 'u'));
            expect(estimateTokens(cut), character).to.equal(2);
        }
    });
});

describe('askForSummary()', () => {
    const ask = async (steps: Step[], timeoutMs = 20_000) => {
        const provider = await startProvider({ steps });
        const { caller, stop } = await newCaller({ openai: `${provider.url}/v1` });
        try {
            const models = {
                open: (calls: [ModelCall, ...ModelCall[]], signal: AbortSignal) => caller.open(calls, signal),
                estimateUsage,
            };
            const call = testCall(testModel());
            return await askForSummary(models, { call, timeoutMs, bill: null, onEnd: () => Promise.resolve() });
        } finally {
            stop();
            await provider.stop();
        }
    };
    const text = (content: string) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`;
    const END = `data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })}\n\ndata: [DONE]\n\n`;
    const codeOf = (error: unknown) => (error as { data: { code: string } }).data.code;

    it('gives the text without the space around it', async () => {
        expect(await ask([text(' A weekend'), text(' in Lisbon\n'), END])).to.equal('A weekend in Lisbon');
    });

    it('gives up what takes too long, before its first word and after it', async () => {
        for (const steps of [[hold()], [text('A week'), hold()]]) {
            expect(codeOf(await expect(ask(steps, 50)).to.reject())).to.equal('PROVIDER_TIMEOUT');
        }
    });

    it('takes a summary of nothing but space for a failure', async () => {
        expect(codeOf(await expect(ask([text(' \n'), END])).to.reject())).to.equal('PROVIDER_ERROR');
    });
});

describe('isAfter()', () => {
    it('compares entries by time, then by number, as numbers', () => {
        expect(isAfter('10-0', '9-5')).to.be.true();
        expect(isAfter('9-10', '9-9')).to.be.true();
        expect(isAfter('9-9', '9-9')).to.be.false();
        expect(isAfter('9-5', '10-0')).to.be.false();
    });
});
