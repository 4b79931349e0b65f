import { createHash } from 'node:crypto';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { after, genesis, isBefore, link } from '../../../plugins/audit/chain.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const PREVIOUS = '11'.repeat(32);
const bytes = (...parts: string[]): Buffer[] => parts.map((part) => Buffer.from(part));

describe('link', () => {
    it('is the hash of the previous one, the id and the fields, each after its length', () => {
        const framed = Buffer.concat([
            Buffer.alloc(32, 0x11),
            Buffer.from([0, 0, 0, 3]),
            Buffer.from('1-0'),
            Buffer.from([0, 0, 0, 6]),
            Buffer.from('action'),
            Buffer.from([0, 0, 0, 2]),
            Buffer.from('é'),
        ]);
        const expected = createHash('sha256').update(framed).digest('hex');
        expect(link(PREVIOUS, '1-0', bytes('action', 'é'))).to.equal(expected);
    });

    it('tells apart what only looks alike', () => {
        const hashes = [
            link(PREVIOUS, '1-0', bytes('a', 'bc')),
            link(PREVIOUS, '1-0', bytes('ab', 'c')),
            link(PREVIOUS, '1-0a', bytes('', 'bc')),
            link(PREVIOUS, '1-0', bytes('a', 'bc', '')),
            link(PREVIOUS, '1-1', bytes('a', 'bc')),
            link('12'.repeat(32), '1-0', bytes('a', 'bc')),
        ];
        expect(new Set(hashes).size).to.equal(hashes.length);
    });
});

describe('genesis', () => {
    it('is no two tenants’', () => {
        expect(genesis('tenant_a').hash).to.not.equal(genesis('tenant_b').hash);
        expect(genesis('tenant_a')).to.include({ id: '0-0', count: 0 });
    });
});

describe('the order of ids', () => {
    it('is that of their numbers', () => {
        const ids = [
            '0-0',
            '1-0',
            '1-2',
            '1-10',
            '9-0',
            '10-0',
            '1795170600000-0',
            '1795170600000-18446744073709551615',
        ];
        for (const [n, id] of ids.entries()) {
            expect(isBefore(id, id)).to.be.false();
            for (const later of ids.slice(n + 1))
                expect([isBefore(id, later), isBefore(later, id)]).to.equal([true, false]);
        }
        expect([after('1-9'), after('7-9007199254740993')]).to.equal(['1-10', '7-9007199254740994']);
    });
});
