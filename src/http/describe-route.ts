import Joi from 'joi';

import { catalogue, errorBody, apiError, type ErrorCode } from './errors.ts';

import type { RouteOptions } from '@hapi/hapi';
import type { RateLimit } from './rate-limit.ts';

/** What a route promises, in the OpenAPI document as on the wire. */
export interface RouteDescription {
    /** The group the route is listed in. */
    tag: string;
    /** The schema of `data`; its label names it in the document. */
    answer: Joi.ObjectSchema;
    /** An example of `data`. */
    example: object;
    /** 200 unless given. */
    status?: number;
    /** The answer is a page: `pagination` stands beside `data`. */
    isPage?: boolean;
    /** The answer may be an event stream instead: what is answered is then not checked against the schema. */
    mayStream?: boolean;
    /** What a client should know besides the summary, in Markdown. */
    notes?: string;
    /** What the route fails with besides what any route may fail with. */
    errors?: ErrorCode[];
    /** The route asks for no credential. */
    isPublic?: boolean;
    /** Of the user where the route needs one, of the IP address elsewhere. */
    rateLimit?: RateLimit;
}

const ALWAYS: ErrorCode[] = ['VALIDATION_ERROR', 'INTERNAL_ERROR', 'STORE_UNAVAILABLE', 'REQUEST_TIMEOUT'];
const WITH_CREDENTIAL: ErrorCode[] = [
    'UNAUTHENTICATED',
    'TOKEN_EXPIRED',
    'SESSION_ENDED',
    'FORBIDDEN',
    'TENANT_MISMATCH',
    'TENANT_SUSPENDED',
    'USER_DISABLED',
    'CSRF_REJECTED',
    'RATE_LIMITED',
];

const EXAMPLE_STAMP = { timestamp: '2026-11-20T10:30:00.000Z', requestId: 'req_01K9ZQ4V7N8M3T5R2W6X1Y0ABC' };

export const paginationSchema = Joi.object({
    cursor: Joi.string().allow(null).description('leads to the next page'),
    limit: Joi.number().integer(),
    hasMore: Joi.boolean(),
    totalCount: Joi.number().integer().optional(),
}).label('Pagination');

const stamp = { timestamp: Joi.string().isoDate(), requestId: Joi.string() };

const errorSchema = Joi.object({
    success: Joi.boolean().valid(false),
    error: Joi.object({
        code: Joi.string(),
        message: Joi.string(),
        category: Joi.string(),
        statusCode: Joi.number().integer(),
        details: Joi.object().unknown().optional(),
        suggestion: Joi.string(),
        correlationId: Joi.string(),
    }).label('Error'),
    ...stamp,
}).label('ErrorAnswer');

/**
 * The part of a route's options that tells of it: summary, success and errors with examples for the OpenAPI document,
 * the status for the envelope, and the schema that answers are checked against.
 */
export function describeRoute(summary: string, description: RouteDescription) {
    const {
        tag,
        answer,
        example,
        status = 200,
        isPage = false,
        notes,
        errors = [],
        isPublic = false,
        mayStream = false,
    } = description;
    const { rateLimit } = description;
    const codes = [...new Set([...errors, ...(isPublic ? [] : WITH_CREDENTIAL), ...ALWAYS])];
    const data = isPage ? answer.keys({ pagination: paginationSchema }) : answer;
    return {
        description: summary,
        ...(notes !== undefined && { notes }),
        tags: ['api', tag],
        app: { status, ...(rateLimit && { rateLimit }) },
        ...(!mayStream && { response: { status: { [status]: data } } }),
        plugins: {
            'hapi-swagger': {
                ...(rateLimit && { 'x-rate-limit': rateLimit }),
                responses: { [status]: successAnswer(answer, example, isPage), ...errorAnswers(codes) },
            },
        },
    } satisfies RouteOptions;
}

const EXAMPLE_PAGINATION = { cursor: null, limit: 20, hasMore: false, totalCount: 1 };

function successAnswer(answer: Joi.ObjectSchema, example: object, isPage: boolean) {
    const body = Joi.object({
        success: Joi.boolean().valid(true),
        data: answer,
        ...(isPage && { pagination: paginationSchema }),
        ...stamp,
    });
    const label = `${String(answer.describe().flags && (answer.describe().flags as { label?: string }).label)}Answer`;
    const whole = { success: true, data: example, ...(isPage && { pagination: EXAMPLE_PAGINATION }), ...EXAMPLE_STAMP };
    return { description: 'Success', schema: body.label(label).meta({ examples: whole }) };
}

/** One answer per status, with the codes it may carry and an example of the first. */
function errorAnswers(codes: ErrorCode[]) {
    const statuses = [...new Set(codes.map((code) => catalogue[code].status))];
    return Object.fromEntries(
        statuses.map((status) => [status, errorAnswer(codes.filter((code) => catalogue[code].status === status))]),
    );
}

function errorAnswer(codes: ErrorCode[]) {
    const [error] = codes.map((code) => errorBody(apiError(code), EXAMPLE_STAMP.requestId));
    return {
        description: codes.map((code) => `${code}: ${catalogue[code].message}`).join('  \n'),
        schema: errorSchema.meta({ examples: { success: false, error, ...EXAMPLE_STAMP } }),
    };
}
