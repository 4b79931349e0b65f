import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { forkTitle, titleOf } from '../../../plugins/threads/titles.ts';

export const lab = Lab.script();
const { describe, it } = lab;

describe('titleOf', () => {
    for (const [question, title] of [
        ['Trams of Lisbon', 'Trams of Lisbon'],
        ['  Hello\tthere.  How are you?', 'Hello there'],
        ['What is love? Tell me.', 'What is love?'],
        ['Version 3.14 is out! Really', 'Version 3.14 is out!'],
        ['A line\nand another', 'A line'],
        ['東京はどこですか。教えて', '東京はどこですか'],
        ['one two three four five six', 'one two three four five six'],
        ['one two three four five six seven', 'one two three four five six…'],
        ['one, two, three, four, five, six, seven', 'one, two, three, four, five, six…'],
        ['...', '...'],
        ['.', '.'],
    ] as const) {
        it(`makes ${JSON.stringify(title)} of ${JSON.stringify(question)}`, () => {
            expect(titleOf(question)).to.equal(title);
        });
    }

    it('has no more than 60 characters, in whole words as long as these are not longer', () => {
        const word = 'x'.repeat(20);
        expect(titleOf([word, word, word].join(' '))).to.equal(`${word} ${word}…`);
        expect(titleOf('x'.repeat(60))).to.equal('x'.repeat(60));
        expect(titleOf('x'.repeat(61))).to.equal(`${'x'.repeat(59)}…`);
        expect(titleOf(`${'x'.repeat(58)}😀😀`)).to.equal(`${'x'.repeat(58)}…`);
    });

    it('is well-formed whatever the question is', () => {
        expect(titleOf('\ud83d and more').isWellFormed()).to.be.true();
    });
});

describe('forkTitle', () => {
    it('says that the thread is a copy, within 200 characters', () => {
        expect(forkTitle('Lisbon')).to.equal('Lisbon (fork)');
        expect(forkTitle('x'.repeat(200))).to.equal(`${'x'.repeat(193)} (fork)`);
        expect(forkTitle(`${'x'.repeat(192)}😀😀`)).to.equal(`${'x'.repeat(192)} (fork)`);
        expect(forkTitle(null)).to.be.null();
    });
});
