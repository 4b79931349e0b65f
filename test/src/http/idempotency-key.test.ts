import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { canonicalJson, claimOf, type RepeatableRequest } from '../../../src/http/idempotency-key.ts';

import type { Actor } from '../../../src/types/actor.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const actor = { tenantId: 'tenant_1', userId: 'user_1' } as Actor;
const request = (more: Partial<RepeatableRequest> = {}): RepeatableRequest => ({
    app: {},
    auth: { credentials: { actor } },
    headers: { 'idempotency-key': 'key' },
    route: { method: 'post', path: '/api/lamps/{lampId}' },
    params: { lampId: 'a' },
    query: {},
    payload: { on: true },
    ...more,
});

describe('claimOf()', () => {
    it('is nothing without the header', () => {
        expect(claimOf(request({ headers: {} }))).to.be.undefined();
    });

    it('is on one key of the user, with a new holder each time', () => {
        const [one, two] = [claimOf(request()), claimOf(request())];
        expect(one?.key).to.match(/^tenant:\{tenant_1\}:idempotency:user_1:[\w-]{43}$/);
        expect([two?.key, two?.body]).to.equal([one?.key, one?.body]);
        expect(two?.holder).to.not.equal(one?.holder);
    });

    it('is on another key for another tenant, user, API key, method, path, parameter or client’s key', () => {
        const others: Partial<RepeatableRequest>[] = [
            {},
            { auth: { credentials: { actor: { ...actor, tenantId: 'tenant_2' } } } },
            { auth: { credentials: { actor: { ...actor, userId: 'user_2' } } } },
            { auth: { credentials: { actor: { ...actor, keyId: 'key_1' } } } },
            { auth: { credentials: { actor: { ...actor, keyId: 'key_2' } } } },
            { route: { method: 'put', path: '/api/lamps/{lampId}' } },
            { route: { method: 'post', path: '/api/lights/{lampId}' } },
            { params: { lampId: 'b' } },
            { headers: { 'idempotency-key': 'Key' } },
        ];
        expect(new Set(others.map((more) => claimOf(request(more))?.key)).size).to.equal(others.length);
    });

    it('has a digest of query and body that means nothing without the client’s key', () => {
        const alike = [{}, { params: { lampId: 'b' } }, { payload: { on: true } }];
        expect(new Set(alike.map((more) => claimOf(request(more))?.body)).size).to.equal(1);
        const others = [
            {},
            { payload: { on: false } },
            { query: { a: '1' } },
            { headers: { 'idempotency-key': 'Key' } },
        ];
        expect(new Set(others.map((more) => claimOf(request(more))?.body)).size).to.equal(others.length);
    });
});

describe('canonicalJson()', () => {
    it('is the same for the same fields in any order, at any depth', () => {
        const one = { b: [{ y: 1, x: null }], a: { d: 'ä', c: 2 } };
        const two = { a: { c: 2, d: 'ä' }, b: [{ x: null, y: 1 }] };
        expect(canonicalJson(one))
            .to.equal(canonicalJson(two))
            .and.equal('{"a":{"c":2,"d":"ä"},"b":[{"x":null,"y":1}]}');
    });

    it('differs for what is not the same', () => {
        const values = [
            null,
            {},
            [],
            '',
            0,
            false,
            { a: 1 },
            { a: '1' },
            [1, 2],
            [2, 1],
            { a: { b: 1 } },
            { 'a.b': 1 },
        ];
        expect(new Set(values.map(canonicalJson)).size).to.equal(values.length);
    });
});
