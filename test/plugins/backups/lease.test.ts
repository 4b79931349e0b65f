import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { keepLease, LEASE_MS, LeaseLost } from '../../../plugins/backups/lease.ts';

export const lab = Lab.script();
const { describe, it } = lab;

describe('keepLease', () => {
    it('says that a lease is lost that was not renewed in time, whatever has kept it', () => {
        let time = 0;
        const kept = keepLease(
            () => new Promise(() => undefined),
            () => time,
        );
        try {
            time = LEASE_MS;
            expect(() => kept.check()).to.not.throw();
            time = LEASE_MS + 1;
            expect(() => kept.check()).to.throw(LeaseLost);
        } finally {
            kept.stop();
        }
    });
});
