import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { headers, headersOf } from '../../../plugins/docs/headers.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const RATE = ['X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset', 'X-RateLimit-Window'];
const namesOf = (status: number, operation: object = {}) =>
    Object.keys(headersOf(status, { responses: {}, ...operation }));

describe('headersOf', () => {
    it('has the request id in every answer', () => {
        expect(namesOf(200, { security: [] })).to.equal(['X-Request-Id']);
        expect(namesOf(404)).to.equal(['X-Request-Id']);
    });

    it('has the limit where one applies: to users, and to routes that have their own', () => {
        expect(namesOf(201)).to.equal(['X-Request-Id', ...RATE]);
        expect(namesOf(200, { security: [], 'x-rate-limit': { limit: 1 } })).to.equal(['X-Request-Id', ...RATE]);
    });

    it('has the time to wait where a retry makes sense', () => {
        expect(namesOf(429)).to.equal(['X-Request-Id', ...RATE, 'Retry-After']);
        expect(namesOf(503)).to.equal(['X-Request-Id', 'Retry-After']);
    });

    it('has what a repeat is told, where the route takes an Idempotency-Key', () => {
        const repeated = Object.keys(headersOf(409, { responses: {} }, true));
        expect(repeated).to.equal(['X-Request-Id', 'Retry-After', 'Idempotent-Replayed']);
        expect(namesOf(409)).to.equal(['X-Request-Id']);
    });

    it('refers to what the document has', () => {
        for (const [name, { $ref }] of Object.entries(headersOf(429, { responses: {} }, true))) {
            expect($ref).to.equal(`#/components/headers/${name}`);
            expect(headers).to.include(name);
        }
    });
});
