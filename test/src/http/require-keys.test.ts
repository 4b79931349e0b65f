import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import Joi from 'joi';

import { requireKeys } from '../../../src/http/require-keys.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const lamp = () => Joi.object({ on: Joi.boolean(), color: Joi.string().optional() });
const refusal = (schema: Joi.Schema, value: unknown) => schema.validate(value).error?.message;

describe('requireKeys', () => {
    it('requires each key save those that say they are optional', () => {
        const schema = requireKeys(lamp());
        expect(refusal(schema, { on: true })).to.be.undefined();
        expect(refusal(schema, { color: 'red' })).to.equal('"on" is required');
    });

    it('looks into objects, lists and maps', () => {
        const schema = requireKeys(
            Joi.object({
                one: lamp(),
                list: Joi.array().items(lamp()),
                map: Joi.object().pattern(Joi.string(), lamp()),
            }),
        );
        const whole = { one: { on: true }, list: [{ on: true }], map: { a: { on: true } } };
        expect(refusal(schema, whole)).to.be.undefined();
        expect(refusal(schema, { ...whole, one: {} })).to.equal('"one.on" is required');
        expect(refusal(schema, { ...whole, list: [{}] })).to.equal('"list[0].on" is required');
        expect(refusal(schema, { ...whole, map: { a: {} } })).to.equal('"map.a.on" is required');
    });

    it('does not ask for something in a list or a map, nor for an object that is null', () => {
        const schema = requireKeys(
            Joi.object({
                one: lamp().allow(null),
                list: Joi.array().items(lamp()),
                map: Joi.object().pattern(/^a/, lamp()),
            }),
        );
        expect(refusal(schema, { one: null, list: [], map: {} })).to.be.undefined();
    });

    it('keeps everything else of the schema', () => {
        const schema = requireKeys(
            Joi.object({ id: Joi.string().pattern(/^a\d$/).description('its id').example('a1') }).label('Lamp'),
        );
        expect(schema.describe().flags).to.equal({ label: 'Lamp' });
        expect(schema.describe().keys.id).to.include({
            examples: ['a1'],
            flags: { presence: 'required', description: 'its id' },
        });
        expect(refusal(schema, { id: 'b1' })).to.match(/fails to match/);
        expect(refusal(schema, { id: 'a1', more: 1 })).to.match(/"more" is not allowed/);
    });

    it('leaves the schema it was given as it is', () => {
        const schema = lamp();
        requireKeys(schema);
        expect(refusal(schema, {})).to.be.undefined();
    });
});
