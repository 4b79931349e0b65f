import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { catalogue } from '../../../src/http/errors.ts';
import { errorText } from '../../../src/jobs/error-text.ts';

export const lab = Lab.script();
const { describe, it } = lab;

describe('errorText', () => {
    it('keeps the words of the catalogue', () => {
        for (const { message } of Object.values(catalogue)) expect(errorText(message, undefined)).to.equal(message);
    });

    it('gives the kind of an error and the first line of what it says', () => {
        const trace = 'TypeError: It is undefined\n    at somewhere';
        expect(errorText('It is undefined\nand more', trace)).to.equal('TypeError: It is undefined');
        expect(errorText('It is odd', undefined)).to.equal('Error: It is odd');
        expect(errorText('connect ECONNREFUSED 127.0.0.1:6379', 'Error: …')).to.equal(
            'Error: connect ECONNREFUSED 127.0.0.1:6379',
        );
        expect(errorText(`${'word '.repeat(200)}`, undefined)).to.have.length(300);
    });

    it('tells no secret', () => {
        const id = 'tenant_01K9ZQ4V7N8M3T5R2W6X1Y0ABC';
        for (const [said, told] of [
            ['GET https://ada:hunter2@example.com/a?token=abc failed', 'GET [url] failed'],
            ['sent Authorization: Bearer-abc.def', 'sent Authorization […]'],
            ['the password=hunter2 was refused', 'the password […] was refused'],
            ['"token": "abc" is old', '"token […] is old'],
            ['key sk-proj-0123456789abcdef0123 is wrong', 'key […] is wrong'],
            ['of lal_0123456789abcdefghij0123456789', 'of […]'],
            ['mail to ada@acme.example bounced', 'mail to [address] bounced'],
            [`no ${id} for BACKUP_STORAGE_UNAVAILABLE`, `no ${id} for BACKUP_STORAGE_UNAVAILABLE`],
        ] as const) {
            expect(errorText(said, undefined), said).to.equal(`Error: ${told}`);
        }
    });
});
