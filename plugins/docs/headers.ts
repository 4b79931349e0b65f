import type { Operation, Reference } from './openapi.ts';

const integer = (description: string) => ({ description, schema: { type: 'integer' } });

const text = { type: 'string' };

/** The headers of answers, for `components`. */
export const headers = {
    'X-Request-Id': { description: 'the id of the request, also in the body', schema: { type: 'string' } },
    'X-RateLimit-Limit': integer('how many requests the tightest limit allows'),
    'X-RateLimit-Remaining': integer('how many of them are left'),
    'X-RateLimit-Reset': integer('the epoch second at which all of them are there again'),
    'X-RateLimit-Window': integer('the seconds the limit is counted over'),
    'Retry-After': integer('the seconds to wait before the next try, where they are known'),
    Deprecation: { description: '`@` and the epoch second since which the route is to be withdrawn', schema: text },
    Sunset: { description: 'when the route may be gone, as an HTTP date', schema: text },
    Link: { description: 'what takes its place, as `rel="successor-version"`', schema: text },
    'Idempotent-Replayed': {
        description: '`true` where another request with the same Idempotency-Key did the work',
        schema: { type: 'string', enum: ['true'] },
    },
};

const refer = (...names: (keyof typeof headers)[]): Record<string, Reference> =>
    Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));

const RATE = refer('X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset', 'X-RateLimit-Window');

/** The headers of an operation's answer with that status; an idempotent one may be a repeat's, or none yet. */
export function headersOf(status: number, operation: Operation, isIdempotent = false): Record<string, Reference> {
    const isLimited = operation.security === undefined || operation['x-rate-limit'] !== undefined;
    const isRated = isLimited && (status < 400 || status === 429);
    return {
        ...refer('X-Request-Id'),
        ...(isRated && RATE),
        ...((status === 429 || status === 503 || (isIdempotent && status === 409)) && refer('Retry-After')),
        ...(isIdempotent && refer('Idempotent-Replayed')),
        ...(operation.deprecated === true && refer('Deprecation', 'Sunset', 'Link')),
    };
}
