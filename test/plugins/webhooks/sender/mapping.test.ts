import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { mappingSchema } from '../../../../plugins/webhooks/sender/index.ts';
import { mappedBody, mappedValues } from '../../../../plugins/webhooks/sender/mapping.ts';
import { testEvent } from '../../../helpers/hook-sender.ts';

import type { TenantEvent } from '../../../../plugins/events/api.ts';
import type { FieldMapping } from '../../../../plugins/webhooks/sender/types.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const map = (mapping: FieldMapping, event: TenantEvent) => mappedBody(mappedValues(mapping, event));

describe('mappedBody', () => {
    it('puts values where the mapping says', () => {
        const event = testEvent({ data: { a: 1, list: [{ b: null }], deep: { c: { d: 'e' } } } });
        const mapping = { 'x.y.z': 'data.a', 'x.y.n': 'data.list.0.b', whole: 'data.deep', id: 'id' };
        expect(map(mapping, event)).to.equal({
            x: { y: { z: 1, n: null } },
            whole: { c: { d: 'e' } },
            id: event.id,
        });
    });

    it('leaves out what the event has not', () => {
        expect(map({ a: 'data.none', b: 'data.title.length', c: 'data.threadId.0' }, testEvent())).to.equal({});
    });

    it('changes nothing of the event', () => {
        const event = testEvent({ data: { a: { b: 1 } } });
        const body = map({ a: 'data.a', 'a.b': 'id', 'a.c': 'id' }, event);
        expect(event.data).to.equal({ a: { b: 1 } });
        expect(body).to.equal({ a: { b: 1 } });
    });

    it('neither reads nor writes what objects inherit', () => {
        const data = JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}');
        const names = ['__proto__', 'constructor', 'prototype'];
        const outputs = names.flatMap((name) => [`${name}.polluted`, `a.${name}.polluted`, name]);
        const written = Object.fromEntries(outputs.map((path) => [path, 'data.title']));
        const event = testEvent();
        expect(map(JSON.parse(JSON.stringify(written)), event)).to.equal({});
        const read = {
            a: 'data.__proto__',
            b: 'data.constructor',
            c: 'data.__proto__.polluted',
            d: 'constructor.name',
        };
        expect(map(read, testEvent({ data }))).to.equal({});
        expect(({} as Record<string, unknown>)['polluted']).to.be.undefined();
    });

    it('is bounded however often it names a large value', () => {
        const event = testEvent({ data: { text: 'a'.repeat(100_000), small: 1 } });
        const mapping = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`f${index}`, 'data.text']));
        expect(Object.keys(map(mapping, event))).to.equal(['f0', 'f1']);
    });
});

describe('mappingSchema', () => {
    const fault = (mapping: unknown) => mappingSchema.validate(mapping).error?.message;

    it('takes its own example', () => {
        const { examples } = mappingSchema.describe();
        expect(examples).to.have.length(1);
        expect(fault(examples?.[0])).to.not.exist();
    });

    it('takes up to 50 fields, and not none', () => {
        const fields = (count: number) =>
            Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}`, 'id']));
        expect(fault(fields(50))).to.not.exist();
        expect(fault(fields(51))).to.exist();
        expect(fault({})).to.exist();
    });

    it('refuses fields that are not paths', () => {
        for (const path of ['.', 'a.', 'a..b', 'constructor', 'a.prototype.b', 'a b', 'a[0]', 'a.'.repeat(8) + 'a']) {
            expect(fault({ [path]: 'id' }), path).to.contain('not a path');
        }
        expect(fault({ '': 'id' })).to.exist();
        const long = Array.from({ length: 4 }, () => 'a'.repeat(50)).join('.');
        expect(fault({ [long]: 'id' })).to.contain('not a path');
        expect(fault(JSON.parse('{"a.__proto__.b":"id"}'))).to.contain('not a path');
    });

    it('refuses values from elsewhere than the event', () => {
        for (const path of [
            'threadId',
            'secret',
            'data.__proto__',
            'data.a b',
            'env.HOME',
            '{{data.title}}',
            'data.a+data.b',
        ]) {
            expect(fault({ a: path }), path).to.contain('not a path in the event');
        }
        for (const value of ['', 5, null, { from: 'id' }]) expect(fault({ a: value })).to.exist();
    });

    it('refuses a field within another one', () => {
        expect(fault({ 'a.b': 'id', a: 'data' })).to.contain('within another');
        expect(fault({ a: 'data', 'a.b.c': 'id' })).to.contain('within another');
        expect(fault({ a: 'data', ab: 'id', 'b.a': 'id' })).to.not.exist();
    });
});
