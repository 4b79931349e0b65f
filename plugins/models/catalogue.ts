import { readFileSync } from 'node:fs';

import Joi from 'joi';

import type { Model } from './api.ts';

interface CatalogueFile {
    version: string;
    unit?: string;
    models: Model[];
}

const range = Joi.object({
    min: Joi.number().required(),
    max: Joi.number().required(),
    default: Joi.number().required(),
});
const tokenPrice = Joi.number().integer().min(0).allow(null);
const priceTable = Joi.object({
    input: tokenPrice.required(),
    output: tokenPrice.required(),
    cacheRead: tokenPrice,
    cacheWrite5m: tokenPrice,
    cacheWrite1h: tokenPrice,
});
const day = Joi.string().isoDate().raw().allow(null).required();

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
                parameters: Joi.object({ temperature: Joi.alternatives(Joi.valid(false), range).required() })
                    .unknown()
                    .required(),
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
}).prefs({ convert: false });

/** The models that exist, by id and alias. */
export class Catalogue {
    readonly models: readonly Model[];
    readonly #byName: Map<string, Model>;

    constructor(models: Model[]) {
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
 * @throws {Error} That names the file and what is wrong in it
 */
export function loadCatalogue(file: string | URL = new URL('./catalogue.json', import.meta.url)): Catalogue {
    try {
        const content: unknown = JSON.parse(readFileSync(file, 'utf8'));
        return new Catalogue(Joi.attempt(content, schema).models);
    } catch (error) {
        throw new Error(`CATALOGUE_FILE ${String(file)}: ${(error as Error).message}`, { cause: error });
    }
}
