import Joi from 'joi';

import { eventPathSchema, readPath } from './paths.ts';

import type { Comparison, Condition, EventFilter } from './types.ts';
import type { TenantEvent } from '../../events/api.ts';

const MAX_PATTERNS = 50;
const MAX_CONDITIONS = 20;
const MAX_CHOICES = 100;
const MAX_TEXT = 1_000;
const PATTERN = /^[a-z0-9_*-]+(\.[a-z0-9_*-]+)*$/;

/** Whether a webhook with this filter is told of an event. */
export const matches = ({ events, conditions }: EventFilter, event: TenantEvent): boolean =>
    events.some((pattern) => fits(pattern, event.type)) && conditions.every((condition) => holds(condition, event));

/** Each `*` of a pattern stands for any characters, none or many, dots among them. */
function fits(pattern: string, type: string): boolean {
    const [start = '', ...parts] = pattern.split('*');
    const end = parts.pop();
    if (end === undefined) return pattern === type;
    if (!type.startsWith(start)) return false;
    let from = start.length;
    for (const part of parts) {
        const at = type.indexOf(part, from);
        if (at === -1) return false;
        from = at + part.length;
    }
    return type.length - end.length >= from && type.endsWith(end);
}

const holds = ({ field, comparison, value }: Condition, event: TenantEvent): boolean =>
    comparisons[comparison](readPath(event, field), value);

/** An order is between two numbers or two texts; times in ISO-8601 are in order as texts. */
const ordered = (found: unknown, value: unknown, holdsFor: (difference: number) => boolean): boolean => {
    if (typeof found === 'number' && typeof value === 'number') return holdsFor(found - value);
    if (typeof found !== 'string' || typeof value !== 'string') return false;
    if (found === value) return holdsFor(0);
    return holdsFor(found < value ? -1 : 1);
};

const comparisons: Record<Comparison, (found: unknown, value: unknown) => boolean> = {
    eq: (found, value) => found === value,
    ne: (found, value) => found !== value,
    gt: (found, value) => ordered(found, value, (difference) => difference > 0),
    gte: (found, value) => ordered(found, value, (difference) => difference >= 0),
    lt: (found, value) => ordered(found, value, (difference) => difference < 0),
    lte: (found, value) => ordered(found, value, (difference) => difference <= 0),
    in: (found, value) => Array.isArray(value) && value.includes(found),
    exists: (found, value) => (found !== undefined) === (value ?? true),
};

const isScalar = (value: unknown): boolean =>
    value === null ||
    typeof value === 'boolean' ||
    (typeof value === 'number' && Number.isFinite(value)) ||
    (typeof value === 'string' && value.length <= MAX_TEXT);

const isOrdered = (value: unknown): boolean => typeof value !== 'boolean' && value !== null && isScalar(value);

/** What a comparison takes as its value. */
const takes: Record<Comparison, (value: unknown) => boolean> = {
    eq: isScalar,
    ne: isScalar,
    gt: isOrdered,
    gte: isOrdered,
    lt: isOrdered,
    lte: isOrdered,
    in: (value) =>
        Array.isArray(value) && value.length > 0 && value.length <= MAX_CHOICES && value.every((one) => isScalar(one)),
    exists: (value) => value === undefined || typeof value === 'boolean',
};

const conditionSchema = Joi.object<Condition>({
    field: eventPathSchema().required(),
    comparison: Joi.string()
        .valid('eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in', 'exists')
        .required()
        .description('gt to lte are of two numbers or two texts; a field that is not there is only ne, or not exists'),
    value: Joi.any()
        .optional()
        .meta({ isAnything: true })
        .description('a text, number, boolean or null; a list of them for in; a boolean, or nothing, for exists'),
})
    .custom((condition: Condition, helpers) =>
        takes[condition.comparison](condition.value) ? condition : helpers.error('condition.value'),
    )
    .messages({ 'condition.value': 'has a value that its comparison does not take' })
    .label('WebhookCondition');

/** Which events a webhook is told of, in what users send and are answered. */
export const filterSchema = Joi.object<EventFilter>({
    events: Joi.array()
        .items(
            Joi.string()
                .max(100)
                .pattern(PATTERN)
                .messages({ 'string.pattern.base': 'has to be a type of event, where * stands for any characters' }),
        )
        .min(1)
        .max(MAX_PATTERNS)
        .required()
        .description('types of events, of which one has to fit; * stands for any characters')
        .example(['thread.*'])
        .label('WebhookEventPatterns'),
    conditions: Joi.array()
        .items(conditionSchema)
        .max(MAX_CONDITIONS)
        .default([])
        .description('all of them have to hold')
        .label('WebhookConditions'),
})
    .example({
        events: ['thread.*'],
        conditions: [{ field: 'data.modelId', comparison: 'eq', value: 'claude-sonnet-4-5' }],
    })
    .label('WebhookFilter');
