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
