import Joi from 'joi';

/** The schema with every key required, at any depth, that does not say `.optional()`. */
export const requireKeys = (schema: Joi.ObjectSchema): Joi.ObjectSchema =>
    Joi.build(withRequiredKeys(schema.describe())) as Joi.ObjectSchema;

interface ObjectDescription extends Joi.Description {
    keys?: Record<string, Joi.Description>;
    items?: Joi.Description[];
    patterns?: { rule: Joi.Description }[];
}

function withRequiredKeys(description: ObjectDescription): Joi.Description {
    const { keys, items, patterns } = description;
    return {
        ...description,
        ...(keys && { keys: Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, required(key)])) }),
        ...(items && { items: items.map(withRequiredKeys) }),
        ...(patterns && { patterns: patterns.map(({ rule, ...one }) => ({ ...one, rule: withRequiredKeys(rule) })) }),
    };
}

const required = (key: Joi.Description): Joi.Description => ({
    ...withRequiredKeys(key),
    flags: { presence: 'required', ...key.flags },
});
