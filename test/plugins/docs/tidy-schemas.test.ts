import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tidySchema, tidySchemas } from '../../../plugins/docs/tidy-schemas.ts';

import type { Schema } from '../../../plugins/docs/openapi.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const status = { type: 'string', enum: ['on', 'off'] };

describe('tidySchemas', () => {
    it('puts a schema without a label where it is used', () => {
        const Lamp = { type: 'object', properties: { status: ref('status'), name: { type: 'string' } } };
        expect(tidySchemas({ Lamp, status })).to.equal({
            Lamp: { type: 'object', properties: { status, name: { type: 'string' } } },
        });
    });

    it('knows one schema again that was met twice', () => {
        const lamp = (at: string) => ({ type: 'object', properties: { status: ref(at) } });
        const House = { type: 'object', properties: { lamp: ref('Lamp1') } };
        expect(tidySchemas({ Lamp: lamp('status'), status, Lamp1: lamp('status1'), status1: status, House })).to.equal({
            Lamp: { type: 'object', properties: { status } },
            House: { type: 'object', properties: { lamp: ref('Lamp') } },
        });
    });

    it('leaves a label that ends in a digit alone', () => {
        expect(tidySchemas({ Sha256: status })).to.equal({ Sha256: status });
    });

    it('refuses two schemas with one label', () => {
        const other = { type: 'string', enum: ['red'] };
        expect(() => tidySchemas({ Lamp: status, Lamp1: other })).to.throw('Different schemas are labelled Lamp');
    });
});

describe('tidySchema', () => {
    const tidy = (schema: Schema) => tidySchema(schema, { status, Lamp: status });

    it('makes a map of the property `string` that stands alone', () => {
        expect(tidy({ type: 'object', properties: { string: ref('status') } })).to.equal({
            type: 'object',
            additionalProperties: status,
        });
    });

    it('keeps a property `string` among others', () => {
        const schema = { type: 'object', properties: { string: { type: 'string' }, text: { type: 'string' } } };
        expect(tidy(schema)).to.equal(schema);
    });

    it('lets an enum be null where its schema may be', () => {
        expect(tidy({ ...status, nullable: true })).to.include({ enum: ['on', 'off', null] });
        expect(tidy(status)).to.include({ enum: ['on', 'off'] });
    });

    it('says no type of an enum of words and booleans', () => {
        const values = [true, false, 'unknown'];
        expect(tidy({ type: 'string', enum: values })).to.equal({ enum: values });
    });

    it('looks into lists', () => {
        const items = { type: 'string', 'x-convert': { trim: true } };
        expect(tidy({ type: 'array', items })).to.equal({ type: 'array', items: { type: 'string' } });
    });

    it('looks into alternatives, and lets the first that stands there be null', () => {
        const list = { type: 'array', items: { type: 'string' } };
        const schema = {
            nullable: true,
            description: 'a or b',
            anyOf: [ref('Lamp'), { ...status, 'x-meta': {} }, list],
        };
        expect(tidy(schema)).to.equal({
            description: 'a or b',
            anyOf: [ref('Lamp'), { type: 'string', nullable: true, enum: ['on', 'off', null] }, list],
        });
        expect(tidy({ anyOf: [status, list] })).to.equal({ anyOf: [status, list] });
    });

    it("gives formats OpenAPI's names and drops Joi's own words", () => {
        const time = { type: 'string', 'x-format': { isoDate: true }, 'x-meta': { examples: {} } };
        expect(tidy(time)).to.equal({ type: 'string', format: 'date-time' });
        expect(tidy({ type: 'string', 'x-format': { hex: true } })).to.equal({ type: 'string', format: 'hex' });
    });
});
