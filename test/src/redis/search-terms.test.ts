import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { foldTerm, wordsOf } from '../../../src/redis/search-terms.ts';

export const lab = Lab.script();
const { describe, it } = lab;

describe('foldTerm', () => {
    it('makes one form of what is written in several', () => {
        expect(foldTerm(' ÉCOLE ')).to.equal(foldTerm('e\u0301cole'));
        expect(foldTerm('ﬁne')).to.equal('fine');
        expect(foldTerm('a\0b')).to.equal('a b');
    });
});

describe('wordsOf', () => {
    it('gives each word once, folded, in order', () => {
        expect(wordsOf('The CAT, the “Katze” & 2 dogs…')).to.equal(['the', 'cat', 'katze', '2', 'dogs']);
        expect(wordsOf('Ünïted 東京 Привет\n\ttwo-part don’t')).to.equal([
            'ünïted',
            '東京',
            'привет',
            'two',
            'part',
            'don',
            't',
        ]);
    });

    it('has nothing that could be taken for a part of the index', () => {
        expect(wordsOf('a\0b "c","d" [e] \\f')).to.equal(['a', 'b', 'c', 'd', 'e', 'f']);
        expect(wordsOf(' …!? \ud800 ')).to.equal([]);
        expect(wordsOf('')).to.equal([]);
    });

    it('takes a very long word in parts, alike in what is found and in what is sought', () => {
        const long = 'x'.repeat(64);
        expect(wordsOf(`${long}yz`)).to.equal([long, 'yz']);
        expect(wordsOf('𝒳'.normalize('NFC').repeat(3))).to.equal(['xxx']);
        expect(wordsOf('😀a𐐷'.repeat(2))).to.equal(['a𐐷']);
    });

    it('keeps 500 words at most', () => {
        const text = Array.from({ length: 600 }, (_, n) => `word${n}`).join(' ');
        expect(wordsOf(text)).to.have.length(500);
    });
});
