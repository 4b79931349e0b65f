import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { boundOf, bucketOf, percentile } from '../../../src/relay/histogram.ts';

export const lab = Lab.script();
const { describe, it } = lab;

describe('the histogram', () => {
    it('puts a latency into a bucket that is a quarter longer at most', () => {
        for (const latency of [0, 1, 2, 9, 10, 99, 1_234, 29_999, 300_000]) {
            const bound = boundOf(bucketOf(latency));
            expect(bound).to.be.at.least(latency);
            expect(bound).to.be.at.most(Math.ceil(Math.max(latency, 1) * 1.25));
        }
        expect(bucketOf(Number.MAX_SAFE_INTEGER)).to.equal(bucketOf(1e12));
    });

    it('gives the bound that so many are within', () => {
        const buckets = [
            { upToMs: 1, count: 50 },
            { upToMs: 2, count: 45 },
            { upToMs: 3, count: 5 },
        ];
        expect([0.5, 0.51, 0.95, 0.96, 1].map((share) => percentile(buckets, share))).to.equal([1, 2, 2, 3, 3]);
        expect(percentile([], 0.5)).to.be.null();
    });
});
