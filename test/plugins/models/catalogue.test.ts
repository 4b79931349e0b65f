import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { loadCatalogue } from '../../../plugins/models/catalogue.ts';
import { publicModel } from '../../../plugins/models/public-model.ts';
import { ConfigError } from '../../../src/config.ts';
import { writeCatalogue } from '../../helpers/catalogue.ts';
import { temporaryFolder } from '../../helpers/folder.ts';
import { testModel } from '../../helpers/model.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const at = (day: string) => Date.parse(`${day}T12:00:00.000Z`);

describe('loadCatalogue()', () => {
    it('reads the built-in catalogue', () => {
        const { models } = loadCatalogue();
        expect(models.map(({ id }) => id)).to.include(['claude-opus-5-5', 'gpt-6-luna', 'gemma-2b-local', 'sandbox']);
    });

    it('finds a model by its id and by its aliases', () => {
        const catalogue = loadCatalogue();
        expect(catalogue.find('claude-opus-5-5')?.id).to.equal('claude-opus-5-5');
        expect(catalogue.find('claude-opus')?.id).to.equal('claude-opus-5-5');
        expect(catalogue.find('gpt-0')).to.be.undefined();
    });

    it('fills in what an entry may leave out', () => {
        const [model] = loadCatalogue(writeCatalogue([{ id: 'mine' }])).models;
        expect(model).to.include({ aliases: [], maxOutput: null, requiresLoading: false, prices: [] });
    });

    const range = (temperature: object | boolean) => ({ parameters: { temperature } });
    const price = (period: object) => ({
        prices: [{ validFrom: null, validUntil: null, microsPerMillion: { input: 1, output: 1 }, ...period }],
    });
    const faults: [fault: string, entry: object, message: RegExp][] = [
        ['an id with a blank', { id: 'a b' }, /models\[1\]\.id .*pattern/],
        ['no name', { name: undefined }, /models\[1\]\.name is required/],
        ['a provider that nobody knows', { provider: 'acme' }, /models\[1\]\.provider must be one of/],
        ['no capabilities', { capabilities: undefined }, /models\[1\]\.capabilities is required/],
        ['aliases that are not a list', { aliases: 'other' }, /models\[1\]\.aliases must be an array/],
        ['a context length in words', { contextLength: '8192' }, /models\[1\]\.contextLength must be a number/],
        ['a context too short for anything', { contextLength: 255 }, /models\[1\]\.contextLength .* 256/],
        ['an output of no token', { maxOutput: 0 }, /models\[1\]\.maxOutput .* 1/],
        ['no parameters', { parameters: undefined }, /models\[1\]\.parameters is required/],
        ['a temperature of true', range(true), /models\[1\]\.parameters\.temperature /],
        ['a range upside down', range({ min: 2, max: 1, default: 1 }), /parameters\.temperature\.max /],
        ['a default out of range', range({ min: 0, max: 1, default: 2 }), /parameters\.temperature\.default /],
        ['a price below zero', price({ microsPerMillion: { input: -1, output: 1 } }), /microsPerMillion\.input .* 0/],
        ['a price in fractions', price({ microsPerMillion: { input: 0.5, output: 1 } }), /input must be an integer/],
        ['a price without its output', price({ microsPerMillion: { input: 1 } }), /output is required/],
        ['a price for something unknown', price({ microsPerMillion: { input: 1, output: 1, air: 1 } }), /air is not/],
        ['a price from a time of day', price({ validFrom: '2026-10-01T00:00:00Z' }), /validFrom .*day pattern/],
        ['a price without an end', price({ validUntil: undefined }), /prices\[0\]\.validUntil is required/],
        ['an id that is taken', { id: 'first' }, /first is the id or an alias of more than one model/],
        ['an alias that is an id', { aliases: ['first'] }, /first is the id or an alias of more than one model/],
    ];
    for (const [fault, entry, message] of faults) {
        it(`refuses ${fault}, and names the file and the place`, () => {
            const file = writeCatalogue([{ id: 'first' }, { id: 'second', ...entry }]);
            const error = expect(() => loadCatalogue(file)).to.throw(ConfigError, message) as unknown as Error;
            expect(error.message).to.startWith(`CATALOGUE_FILE ${file}: `);
        });
    }

    it('names every fault, a line each, and not the whole file', () => {
        const file = writeCatalogue([
            { id: 'a b', contextLength: 1 },
            { id: 'c', provider: 'acme' },
        ]);
        const error = expect(() => loadCatalogue(file)).to.throw(ConfigError) as unknown as Error;
        expect(error.message.split('\n')).to.have.length(3);
    });

    const broken: [what: string, content: string | null, message: RegExp][] = [
        ['is not there', null, /CATALOGUE_FILE .*: ENOENT/],
        ['is not JSON', '{"version": "1", "models": [', /CATALOGUE_FILE .*JSON/],
        ['has no models', '{"version": "1"}', /models is required/],
        ['has no version', '{"models": []}', /version is required/],
        ['has a section that nobody reads', '{"version": "1", "models": [], "more": 1}', /more is not allowed/],
    ];
    for (const [what, content, message] of broken) {
        it(`refuses a file that ${what}`, () => {
            const file = join(temporaryFolder(), 'models.json');
            if (content !== null) writeFileSync(file, content);
            expect(() => loadCatalogue(file)).to.throw(ConfigError, message);
        });
    }
});

describe('publicModel()', () => {
    const prices = (...periods: [from: string | null, until: string | null, input: number][]) =>
        periods.map(([validFrom, validUntil, input]) => ({
            validFrom,
            validUntil,
            microsPerMillion: { input, output: input * 5 },
        }));
    const inputOn = (model: Parameters<typeof publicModel>[0], day: string) =>
        publicModel(model, null, at(day)).pricing?.input;

    it('shows the price in force, from midnight of its first day to midnight after its last', () => {
        const model = testModel({
            prices: prices(['2026-10-01', '2026-12-31', 750_000], ['2027-01-01', null, 1_500_000]),
        });
        const days = ['2026-10-01', '2026-12-31', '2027-01-01', '2036-01-01'];
        expect(days.map((day) => inputOn(model, day))).to.equal([750_000, 750_000, 1_500_000, 1_500_000]);
        const lastMoment = publicModel(model, null, Date.parse('2026-12-31T23:59:59.999Z'));
        expect(lastMoment.pricing).to.equal({ input: 750_000, output: 3_750_000, unit: 'microsPerMillionTokens' });
    });

    it('shows the two periods of a model of the built-in catalogue', () => {
        const model = loadCatalogue().find('gemini-flash') ?? testModel();
        expect(inputOn(model, '2026-12-31')).to.equal(750_000);
        expect(inputOn(model, '2027-01-01')).to.equal(1_500_000);
    });

    it('shows no price before the first, in a gap, after the last or where there is none', () => {
        const model = testModel({ prices: prices(['2026-01-01', '2026-01-31', 1], ['2026-03-01', '2026-03-31', 2]) });
        for (const day of ['2025-12-31', '2026-02-15', '2026-04-01']) expect(inputOn(model, day)).to.be.undefined();
        expect(publicModel(testModel(), null, at('2026-01-01')).pricing).to.be.null();
    });

    it('shows no temperature range for a model that takes none', () => {
        const model = testModel({ parameters: { temperature: false } });
        expect(publicModel(model, null, at('2026-01-01')).temperatureRange).to.be.null();
    });

    it('says whose key a call needs, by the name that users know', () => {
        const keyOf = (provider: Parameters<typeof testModel>[0]) =>
            publicModel(testModel(provider), 'PROVIDER_KEY_MISSING', 0).apiKeyRequired;
        expect(keyOf({ provider: 'anthropic' })).to.equal('claude');
        expect(keyOf({ provider: 'google' })).to.equal('google');
        expect(keyOf({ provider: 'ollama' })).to.be.null();
    });
});
