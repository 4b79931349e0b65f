import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { promptOf, tokenOf, wantedTokens } from '../../../scripts/bench/prompts.ts';
import { timesOfTokens } from '../../../scripts/bench/stream-load.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const END = 'data: [DONE]\n\n';

/** A stream of those pieces, a second apart. */
const heard = (pieces: string[], isWhole = true) => ({
    began: 0,
    pieces: pieces.map((piece) => Buffer.from(piece)),
    times: pieces.map((_, second) => second),
    isWhole,
});

describe('what the benchmark hears of a stream', () => {
    it('has the time of each token, also of one that came in two pieces', () => {
        const pieces = [`${tokenOf(0)}${tokenOf(1)}wo`, `rd0002 `, END];
        expect(timesOfTokens(heard(pieces), 3, END)).to.equal([0, 0, 1]);
    });

    it('fails for a token that is missing, twice there or out of order', () => {
        const read = (places: number[]) => timesOfTokens(heard([...places.map(tokenOf), END]), 3, END);
        expect(read([0, 1, 2])).to.have.length(3);
        for (const places of [[0, 2], [0, 1], [0, 1, 1, 2], [0, 2, 1], [0, 1, 2, 3], []])
            expect(() => read(places)).to.throw(Error);
    });

    it('fails for a stream without its end, unless it broke off', () => {
        const pieces = [tokenOf(0), tokenOf(1)];
        expect(() => timesOfTokens(heard(pieces), 2, END)).to.throw(/A wrong stream: 2 tokens of 2/);
        expect(timesOfTokens(heard(pieces, false), 3, END)).to.equal([0, 1]);
    });
});

describe('what the stand-in for a model is told', () => {
    it('stands in the last message', () => {
        const messages = [{ content: promptOf(500) }, { content: tokenOf(1) }, { content: promptOf(30, 50) }];
        expect(wantedTokens(JSON.stringify({ model: 'bench', messages }))).to.equal({ tokens: 30, everyMs: 50 });
        expect(wantedTokens(JSON.stringify({ messages: [{ content: 'go' }] }))).to.equal({ tokens: 20, everyMs: 0 });
    });
});
