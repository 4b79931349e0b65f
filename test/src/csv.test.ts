import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { csv } from '../../src/csv.ts';

export const lab = Lab.script();
const { describe, it } = lab;

describe('csv', () => {
    it('ends each row as RFC 4180 says, and leaves out what is not there', () => {
        expect(
            csv([
                ['a', 1, null],
                ['', -2, 'b c'],
            ]),
        ).to.equal('a,1,\r\n,-2,b c\r\n');
    });

    for (const [value, cell] of [
        ['a,b', '"a,b"'],
        ['say "yes"', '"say ""yes"""'],
        ['two\nlines', '"two\nlines"'],
        ['two\r\nlines', '"two\r\nlines"'],
        ['=1+1', "'=1+1"],
        ['+1', "'+1"],
        ['-1+2', "'-1+2"],
        ['-0.050000', '-0.050000'],
        ['+1.5', "'+1.5"],
        ['@SUM(A1)', "'@SUM(A1)"],
        ['\t=1', "'\t=1"],
        ['=HYPERLINK("http://x","y")', `"'=HYPERLINK(""http://x"",""y"")"`],
        ['a=1', 'a=1'],
    ] as const) {
        it(`writes ${JSON.stringify(value)} so that it is only read`, () => {
            expect(csv([[value]])).to.equal(`${cell}\r\n`);
        });
    }
});
