import Joi from 'joi';

/** Building a schema takes Joi milliseconds, and servers of one process, as in tests, have the same ones. */
const built = new WeakMap<Joi.ObjectSchema, Joi.ObjectSchema>();

/** The schema with every key required, at any depth, that does not say `.optional()`. */
export function requireKeys(schema: Joi.ObjectSchema): Joi.ObjectSchema {
    const known = built.get(schema);
    if (known) return known;
    const whole = Joi.build(withRequiredKeys(schema.describe())) as Joi.ObjectSchema;
    built.set(schema, whole);
    return whole;
}

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
