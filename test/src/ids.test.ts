import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { idSchema, newId } from '../../src/ids.ts';

export const lab = Lab.script();
const { describe, it } = lab;

describe('newId', () => {
    it('gives the prefix and a ULID, another one each time', () => {
        const ids = Array.from({ length: 1_000 }, () => newId('thread'));
        expect(ids.every((id) => /^thread_[0-9A-HJKMNP-TV-Z]{26}$/.test(id))).to.be.true();
        expect(new Set(ids).size).to.equal(1_000);
    });
});

describe('idSchema', () => {
    const fits = (id: unknown) => idSchema('thread').validate(id).error === undefined;

    it('takes a new id of that kind', () => {
        expect(fits(newId('thread'))).to.be.true();
    });

    it('refuses ids of another kind, of another length, in lower case and with anything around them', () => {
        const id = newId('thread');
        const wrong = [newId('msg'), id.slice(0, -1), `${id}0`, id.toLowerCase(), ` ${id}`, `${id}\n`, `x${id}`, 7, ''];
        expect(wrong.filter(fits)).to.equal([]);
    });
});
