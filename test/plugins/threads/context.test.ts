import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { textOf } from '../../../plugins/models/api.ts';
import { assembleContext, messageLimit } from '../../../plugins/threads/context.ts';

import type { Model } from '../../../plugins/models/api.ts';
import type { Message } from '../../../plugins/threads/api.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const model = (contextLength: number, maxOutput: number | null = null) => ({ contextLength, maxOutput }) as Model;

const message = (id: string, fields: Partial<Message> = {}) =>
    ({ id, role: 'user', content: id, tokens: 10, replyTo: null, ...fields }) as Message;

describe('assembleContext()', () => {
    it('puts the new message last and what went before in its order', () => {
        const context = assembleContext(model(1_000), [message('second'), message('first')], 'third');
        expect(context.map(({ content }) => content)).to.equal(['first', 'second', 'third']);
    });

    it('stops at the first message that has no room, so that no gap arises', () => {
        const history = [message('c'), message('b', { tokens: 9_000 }), message('a')];
        const context = assembleContext(model(8_000), history, 'new');
        expect(context.map(({ content }) => content)).to.equal(['c', 'new']);
    });

    it('keeps room for the answer: what the model may write, at most a quarter', () => {
        const history = [message('a', { tokens: 740 })];
        expect(assembleContext(model(1_000), history, 'new')).to.have.length(2);
        expect(assembleContext(model(980), history, 'new')).to.have.length(1);
        expect(assembleContext(model(800, 20), history, 'new')).to.have.length(2);
    });

    it('leaves out a question whose answer failed without a word', () => {
        const history = [
            message('answer', { role: 'assistant', content: '', replyTo: 'question' }),
            message('question'),
            message('before'),
        ];
        const context = assembleContext(model(1_000), history, 'question again');
        expect(context.map(({ content }) => content)).to.equal(['before', 'question again']);
    });

    it('puts the system prompt first, inside the budget', () => {
        const history = [message('c'), message('b'), message('a')];
        const prompt = 'p'.repeat(4 * 720);
        const context = assembleContext(model(1_000), history, 'new', { systemPrompt: prompt });
        expect(context.map(({ role, content }) => `${role} ${textOf(content).slice(0, 3)}`)).to.equal([
            'system ppp',
            'user b',
            'user c',
            'user new',
        ]);
    });

    it('refuses a message that has no room beside the system prompt', () => {
        const prompt = 'p'.repeat(4 * 745);
        expect(assembleContext(model(1_000), [], 'x'.repeat(20), { systemPrompt: prompt })).to.have.length(2);
        const refuse = () => assembleContext(model(1_000), [], 'x'.repeat(21), { systemPrompt: prompt });
        const error = expect(refuse).to.throw() as unknown as { data: unknown };
        expect(error.data).to.equal({ code: 'MESSAGE_TOO_LONG', details: { tokens: 6, limit: 5 } });
    });

    it('puts a summary after the system prompt, and leaves out what it covers but for the last four', () => {
        const history = ['g', 'f', 'e', 'd', 'c', 'b', 'a'].map((id) => message(id));
        const context = assembleContext(model(1_000), history, 'new', {
            systemPrompt: 'Be brief',
            covering: { text: 'It was so.', uncovered: 1 },
        });
        expect(context.map(({ role, content }) => `${role} ${textOf(content)}`)).to.equal([
            'system Be brief',
            'system Summary of the conversation so far: It was so.',
            ...['c', 'd', 'e', 'f', 'g', 'new'].map((content) => `user ${content}`),
        ]);
    });

    it('gives a summary its room before any message, and leaves it out where it has none', () => {
        const history = [message('c'), message('b'), message('a')];
        const before = (text: string) =>
            assembleContext(model(1_000), history, 'new', { covering: { text, uncovered: 0 } }).map(({ content }) =>
                textOf(content).slice(0, 7),
            );
        // The words before it have 36 bytes, the new message one token: 749 are left.
        expect(before('s'.repeat(4 * 729 - 36))).to.equal(['Summary', 'b', 'c', 'new']);
        expect(before('s'.repeat(4 * 749 - 36))).to.equal(['Summary', 'new']);
        expect(before('s'.repeat(4 * 749 - 35))).to.equal(['a', 'b', 'c', 'new']);
    });

    it('keeps what came of an answer that broke off', () => {
        const history = [
            message('half', { role: 'assistant', status: 'interrupted', replyTo: 'question' }),
            message('question'),
        ];
        expect(assembleContext(model(1_000), history, 'new').map(({ role }) => role)).to.equal([
            'user',
            'assistant',
            'user',
        ]);
    });
});

describe('messageLimit()', () => {
    it('is 10,000 tokens, and less for a small model', () => {
        expect(messageLimit(model(1_000_000, 128_000))).to.equal(10_000);
        expect(messageLimit(model(1_000))).to.equal(750);
    });
});
