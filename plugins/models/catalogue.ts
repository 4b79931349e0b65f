import { readFileSync } from 'node:fs';

import Joi from 'joi';

import { ConfigError } from '../../src/config.ts';

import type { Model } from './api.ts';

interface CatalogueFile {
    version: string;
    unit?: string;
    models: Model[];
}

/** False: the model takes none. */
const temperature = Joi.object({
    min: Joi.number().required(),
    max: Joi.number().min(Joi.ref('min')).required(),
    default: Joi.number().min(Joi.ref('min')).max(Joi.ref('max')).required(),
}).allow(false);
const tokenPrice = Joi.number().integer().min(0).allow(null);
const priceTable = Joi.object({
    input: tokenPrice.required(),
    output: tokenPrice.required(),
    cacheRead: tokenPrice,
    cacheWrite5m: tokenPrice,
    cacheWrite1h: tokenPrice,
});
const day = Joi.string()
    .pattern(/^\d{4}-\d\d-\d\d$/, 'day')
    .allow(null)
    .required();

const schema = Joi.object<CatalogueFile>({
    version: Joi.string().required(),
    unit: Joi.string(),
    models: Joi.array()
        .items(
            Joi.object({
                id: Joi.string()
                    .pattern(/^[A-Za-z0-9._:-]{1,100}$/)
                    .required(),
                name: Joi.string().required(),
                provider: Joi.string().valid('anthropic', 'openai', 'google', 'ollama', 'sandbox').required(),
                upstreamId: Joi.string(),
                aliases: Joi.array().items(Joi.string()).default([]),
                capabilities: Joi.array().items(Joi.string()).required(),
                contextLength: Joi.number().integer().min(256).required(),
                maxOutput: Joi.number().integer().min(1).allow(null).default(null),
                requiresLoading: Joi.boolean().default(false),
                parameters: Joi.object({ temperature: temperature.required() }).unknown().required(),
                prices: Joi.array()
                    .items(
                        Joi.object({
                            validFrom: day,
                            validUntil: day,
                            microsPerMillion: priceTable.required(),
                            aboveInputTokens: Joi.object({
                                tokens: Joi.number().integer().required(),
                                appliesTo: Joi.valid('whole request').required(),
                                microsPerMillion: priceTable.required(),
                            }),
                        }),
                    )
                    .default([]),
            }).unknown(),
        )
        .required(),
}).prefs({ convert: false, abortEarly: false, errors: { wrap: { label: false } } });

/** The models that exist, by id and alias. */
export class Catalogue {
    readonly version: string;
    readonly models: readonly Model[];
    readonly #byName: Map<string, Model>;

    constructor(version: string, models: Model[]) {
        this.version = version;
        this.models = models;
        this.#byName = new Map(models.flatMap((model) => [model.id, ...model.aliases].map((name) => [name, model])));
    }

    find(idOrAlias: string): Model | undefined {
        return this.#byName.get(idOrAlias);
    }
}

/**
 * Reads a catalogue of models and prices.
 *
 * @param file The project's own unless given
 * @throws ConfigError that names the file and, a line each, what is wrong in it
 */
export function loadCatalogue(file: string | URL = new URL('./catalogue.json', import.meta.url)): Catalogue {
    const { error, value } = schema.validate(read(file));
    const faults = error ? error.details.map(({ message }) => message) : namedTwice(value.models);
    if (faults.length > 0) throw new ConfigError(faults.map((fault) => `${nameOf(file)}: ${fault}`).join('\n'));
    return new Catalogue(value.version, value.models);
}

const nameOf = (file: string | URL): string => `CATALOGUE_FILE ${String(file)}`;

function read(file: string | URL): unknown {
    try {
        return JSON.parse(readFileSync(file, 'utf8'));
    } catch (error) {
        throw new ConfigError(`${nameOf(file)}: ${(error as Error).message}`, { cause: error });
    }
}

function namedTwice(models: Model[]): string[] {
    const names = models.flatMap(({ id, aliases }) => [id, ...aliases]);
    const twice = names.filter((name, index) => names.indexOf(name) !== index);
    return [...new Set(twice)].map((name) => `${name} is the id or an alias of more than one model`);
}
