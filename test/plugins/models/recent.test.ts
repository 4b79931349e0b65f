import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { Recent } from '../../../plugins/models/recent.ts';

export const lab = Lab.script();
const { describe, it } = lab;

describe('Recent', () => {
    it('knows what was learnt until it is too old', () => {
        let now = 0;
        const recent = new Recent<string>({ freshMs: 10, most: 2, clock: () => now });
        recent.set('a', 'one');
        now = 10;
        expect(recent.get('a')).to.equal('one');
        now = 11;
        expect(recent.get('a')).to.be.undefined();
        recent.set('a', 'two');
        expect(recent.get('a')).to.equal('two');
        recent.forget('a');
        expect(recent.get('a')).to.be.undefined();
    });

    it('keeps nothing that is too old when there is something new', () => {
        let now = 0;
        const recent = new Recent<number>({ freshMs: 10, most: 9, clock: () => now });
        for (const name of ['a', 'b', 'c']) recent.set(name, now++);
        now = 13;
        recent.set('d', 4);
        expect(recent.size).to.equal(2);
        expect([recent.get('c'), recent.get('d')]).to.equal([2, 4]);
    });

    it('keeps so many at most, the newest', () => {
        const recent = new Recent<number>({ freshMs: 10, most: 2, clock: () => 0 });
        recent.set('a', 1);
        recent.set('b', 2);
        recent.set('a', 3);
        recent.set('c', 4);
        expect(['a', 'b', 'c'].map((name) => recent.get(name))).to.equal([3, undefined, 4]);
    });
});
