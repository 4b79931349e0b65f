import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { RepeatedText } from '../../../../plugins/models/providers/repeated-text.ts';

export const lab = Lab.script();
const { describe, it } = lab;

interface Event {
    note?: unknown;
    delta?: { content?: unknown };
}

const readWhole = (event: string): string | null => {
    const { delta } = JSON.parse(event) as Event;
    return typeof delta?.content === 'string' ? delta.content : null;
};
const eventOf = (content: unknown, note = 'chunk'): string =>
    JSON.stringify({ id: 'x', note, delta: { content }, usage: null });

/** One that has learnt from an event. */
function learntFrom(text: string, note?: string): RepeatedText {
    const repeated = new RepeatedText(readWhole);
    repeated.learn(eventOf(text, note), text);
    return repeated;
}

describe('RepeatedText', () => {
    it('reads nothing before it has learnt', () => {
        expect(new RepeatedText(readWhole).textOf(eventOf('a'))).to.be.null();
    });

    it('reads any text as JSON would, after it has learnt one', () => {
        const repeated = learntFrom('first');
        for (const text of [
            ' a',
            'Ω 春 \u{1F600}',
            '"',
            '\\',
            '\\"',
            'a\nb\tc',
            '\u0000',
            '}',
            '"}',
            '\u2028',
            '\ud800',
        ]) {
            expect(repeated.textOf(eventOf(text)), JSON.stringify(text)).to.equal(text);
        }
        expect(repeated.textOf(eventOf('é').replace('é', '\\u00e9'))).to.equal('é');
    });

    it('leaves alone what differs in anything else', () => {
        const repeated = learntFrom('first');
        const others = [
            eventOf(''),
            eventOf(null),
            eventOf('a', 'another'),
            eventOf('a').replace('"usage":null', '"usage":{"total_tokens":4}'),
            eventOf('a').replace('"content":"a"', '"content":"a","role":"assistant"'),
            eventOf('a').replace('"a"', '"a"b"'),
            eventOf('a').replace('"a"', '"a\\"'),
            eventOf('a').replace('"a"', '"a\nb"'),
            eventOf('a').slice(0, -1),
            '[DONE]',
            '',
        ];
        for (const event of others) expect(repeated.textOf(event), event).to.be.null();
    });

    it('does not take the same text elsewhere in an event for the one that was read', () => {
        const repeated = learntFrom('chunk', 'chunk');
        expect(repeated.textOf(eventOf('other', 'chunk'))).to.be.null();
        expect(repeated.textOf(eventOf('chunk', 'other'))).to.be.null();
    });

    it('learns anew where the events have changed', () => {
        const repeated = learntFrom('first', 'one');
        repeated.learn(eventOf('second', 'two'), 'second');
        expect(repeated.textOf(eventOf('third', 'two'))).to.equal('third');
        expect(repeated.textOf(eventOf('third', 'one'))).to.be.null();
    });

    it('gives up where no event is like another', () => {
        let read = 0;
        const repeated = new RepeatedText((event) => {
            read++;
            return readWhole(event);
        });
        for (let n = 0; n < 100; n++) repeated.learn(eventOf('a', `note ${n}`), 'a');
        expect(read).to.equal(16);
    });
});
