import { isDeepStrictEqual } from 'node:util';

import { mapValues, nameOf, type Schema } from './openapi.ts';

type Schemas = Record<string, Schema>;

/** Labels are in PascalCase; a schema without one goes by the name of the field it was found at. */
const LABEL = /^[A-Z]/;

/** Where hapi-swagger has the schemas of alternatives, which go by names of their own: `type` there is another one. */
const ALTERNATIVES = '#/x-alt-definitions/';

/** The schemas of alternatives by names that no other schema has, save for those with a label. */
export const nameAlternatives = (alternatives: Schemas = {}): Schemas =>
    Object.fromEntries(Object.entries(alternatives).map(([name, schema]) => [nameOfAlternative(name), schema]));

const nameOfAlternative = (name: string): string => (LABEL.test(name) ? name : `alternative ${name}`);

const FORMATS: Record<string, string> = { isoDate: 'date-time', email: 'email', uri: 'uri' };

/**
 * The schemas that have a label, by it, as OpenAPI 3.0 means them.
 *
 * @throws When one label stands for different schemas
 */
export function tidySchemas(schemas: Schemas): Schemas {
    const tidied: Schemas = {};
    for (const [name, schema] of Object.entries(schemas)) {
        if (!LABEL.test(name)) continue;
        const label = labelOf(name, schemas);
        const tidy = tidySchema(schema, schemas);
        if (!isDeepStrictEqual(tidied[label] ?? tidy, tidy)) throw new Error(`Different schemas are labelled ${label}`);
        tidied[label] = tidy;
    }
    return tidied;
}

/** The name without the number that hapi-swagger gives to a schema it has met before and takes for another. */
function labelOf(name: string, schemas: Schemas): string {
    const label = name.replace(/\d+$/, '');
    return label in schemas ? label : name;
}

/**
 * What hapi-swagger makes of a Joi schema, put right: a schema without a label stands where it is used, a map has
 * `additionalProperties`, an enum that may be null says so, formats have their names, and Joi's own words are left
 * out.
 */
export function tidySchema(schema: Schema, schemas: Schemas): Schema {
    if (schema.$ref !== undefined) return resolve(schema.$ref, schemas);
    if (schema.anyOf !== undefined) return tidyAlternatives(schema, schema.anyOf, schemas);
    const { 'x-format': formats, 'x-convert': _convert, 'x-meta': meta, type, properties, items, ...rest } = schema;
    return {
        ...(type !== undefined && !isMixed(schema) && !isAnything(meta) && { type }),
        ...rest,
        ...formatOf(formats),
        ...(schema.nullable && schema.enum && { enum: [...schema.enum, null] }),
        ...(items && { items: tidySchema(items, schemas) }),
        ...(properties && tidyProperties(properties, schemas)),
    };
}

/** Only a schema with a type may be null in OpenAPI 3.0: of alternatives, the first that stands here. */
function tidyAlternatives(
    { nullable, anyOf: _anyOf, ...rest }: Schema,
    alternatives: Schema[],
    schemas: Schemas,
): Schema {
    const anyOf = alternatives.map((one) => tidySchema(one, schemas));
    const first = anyOf.find(({ type }) => type !== undefined);
    if (nullable && first) Object.assign(first, { nullable }, first.enum && { enum: [...first.enum, null] });
    return { ...tidySchema(rest, schemas), anyOf };
}

/** `Joi.any()`, which hapi-swagger takes for a text. */
const isAnything = (meta: unknown): boolean => typeof meta === 'object' && meta !== null && 'isAnything' in meta;

/** An enum of words and of `true` and `false`, which hapi-swagger takes for words. */
const isMixed = ({ enum: values = [] }: Schema): boolean =>
    ['string', 'boolean'].every((type) => values.some((value) => typeof value === type));

function resolve($ref: string, schemas: Schemas): Schema {
    const name = $ref.startsWith(ALTERNATIVES) ? nameOfAlternative(nameOf($ref)) : nameOf($ref);
    if (LABEL.test(name)) return { $ref: `#/components/schemas/${labelOf(name, schemas)}` };
    return tidySchema(schemas[name] ?? {}, schemas);
}

function formatOf(formats: unknown): { format?: string } {
    const [name] = Object.keys(formats ?? {});
    return name === undefined ? {} : { format: FORMATS[name] ?? name };
}

/** A map (`Joi.object().pattern(Joi.string(), …)`) is shown by hapi-swagger as an object with one property `string`. */
function tidyProperties(properties: Schemas, schemas: Schemas): Pick<Schema, 'properties' | 'additionalProperties'> {
    const tidied = mapValues(properties, (property) => tidySchema(property, schemas));
    const { string: value, ...others } = tidied;
    return value && Object.keys(others).length === 0 ? { additionalProperties: value } : { properties: tidied };
}
