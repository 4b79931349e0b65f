import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { fromCrockford, toCrockford } from '../../src/crockford.ts';

export const lab = Lab.script();
const { describe, it } = lab;

describe('toCrockford', () => {
    it('writes five bits a character, with zeros before them', () => {
        expect(toCrockford(0n, 2)).to.equal('00');
        expect(toCrockford(31n, 2)).to.equal('0Z');
        expect(toCrockford(32n, 2)).to.equal('10');
        expect(toCrockford(2n ** 80n - 1n, 16)).to.equal('Z'.repeat(16));
    });
});

describe('fromCrockford', () => {
    it('reads what toCrockford has written', () => {
        for (const value of [0n, 1n, 0x123456789abcdefn, 2n ** 128n - 1n]) {
            expect(fromCrockford(toCrockford(value, 26))).to.equal(value);
        }
    });
});
