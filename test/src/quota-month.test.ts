import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { quotaMonth } from '../../src/quota-month.ts';

export const lab = Lab.script();
const { describe, it } = lab;

describe('quotaMonth', () => {
    it('gives the month in UTC and when the next one begins', () => {
        const last = Date.parse('2026-12-31T23:59:59.999Z');
        expect(quotaMonth(last)).to.equal({ name: '202612', endsAt: Date.parse('2027-01-01T00:00:00.000Z') });
        expect(quotaMonth(last + 1).name).to.equal('202701');
    });
});
