import { MAX_KEY_LENGTH } from '../../src/http/idempotency-key.ts';

import type { RouteOptionsApp } from '@hapi/hapi';
import type { Parameter, Schema } from './openapi.ts';

const idempotencyKey: Parameter & { description: string } = {
    name: 'idempotency-key',
    in: 'header',
    description:
        'chosen by you, a new one for each request: a repeat with the same key and body is answered as the first one ' +
        'was, for 24 h, and nothing is done again',
    schema: { type: 'string', minLength: 1, maxLength: MAX_KEY_LENGTH, pattern: '^[ -~]+$' },
};

/** The header of a route that takes an Idempotency-Key. */
export function keyParameters(idempotent: RouteOptionsApp['idempotent']): Parameter[] {
    if (idempotent === undefined) return [];
    return [idempotent === 'required' ? { ...idempotencyKey, required: true } : idempotencyKey];
}

/** Examples of what is the same on every route; others stand in the schema, or follow from it. */
const EXAMPLES: Record<string, unknown> = {
    'idempotency-key': 'b7f4c1de-0a63-4f7c-9c55-2f3d1f0a8e11',
    'if-match': '"3"',
    cursor: 'v1.generated.RogbomqhZF3qg3Q3ZRo-jN1lsdE9oXhO',
    path: 'api/tags',
};

/** A parameter with an example; OpenAPI leaves no part of a path out. */
export function showParameter(parameter: Parameter): Parameter {
    const example = exampleOf(parameter);
    return {
        ...parameter,
        ...(parameter.in === 'path' && { required: true }),
        ...(example !== undefined && { example }),
    };
}

function exampleOf({ name = '', schema }: Parameter): unknown {
    const { example, enum: values, format, minimum } = schema;
    return example ?? EXAMPLES[name] ?? schema.default ?? values?.[0] ?? (format ? ofFormat(schema) : minimum);
}

const ofFormat = ({ format }: Schema): string | undefined =>
    format === 'date-time' ? '2026-11-20T10:30:00.000Z' : undefined;
