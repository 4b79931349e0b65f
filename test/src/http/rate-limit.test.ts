import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { bucketOf, rateHeaders } from '../../../src/http/rate-limit.ts';

export const lab = Lab.script();
const { describe, it } = lab;

describe('rateHeaders', () => {
    it('tells where a caller stands', () => {
        expect(rateHeaders({ limit: 5, remaining: 0, reset: 1_795_694_460, window: 60 })).to.equal([
            ['x-ratelimit-limit', '5'],
            ['x-ratelimit-remaining', '0'],
            ['x-ratelimit-reset', '1795694460'],
            ['x-ratelimit-window', '60'],
        ]);
    });

    it('has nothing to tell where no limit applies', () => {
        expect(rateHeaders(undefined)).to.equal([]);
    });
});

describe('bucketOf', () => {
    const bucket = (app: object | undefined) =>
        bucketOf({ route: { method: 'post', path: '/api/login', settings: { app } } } as never);

    it('is the route of its own unless the route shares one', () => {
        expect(bucket(undefined)).to.equal('post /api/login');
        expect(bucket({})).to.equal('post /api/login');
        expect(bucket({ rateLimit: { limit: 5, window: 60 } })).to.equal('post /api/login');
        expect(bucket({ rateLimit: { limit: 5, window: 60, bucket: 'login' } })).to.equal('login');
    });
});
