import { exampleStamp } from '../../src/http/describe-route.ts';
import { apiError, catalogue, errorBody, type ErrorBody, type ErrorCode } from '../../src/http/errors.ts';

import type { RequestRoute, RouteOptionsApp } from '@hapi/hapi';
import type { Operation, Response, Schema } from './openapi.ts';
import type { AnswerForm } from '../../src/http/answer-form.ts';

const CREDENTIAL: ErrorCode[] = [
    'UNAUTHENTICATED',
    'TOKEN_EXPIRED',
    'SESSION_ENDED',
    'TENANT_MISMATCH',
    'TENANT_SUSPENDED',
    'TENANT_RESTORING',
    'MAINTENANCE',
    'USER_DISABLED',
    'KEY_INVALID',
    'KEY_NOT_ALLOWED',
    'RATE_LIMITED',
];
const BODY: ErrorCode[] = ['MALFORMED_REQUEST', 'PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'];
const IDEMPOTENT: ErrorCode[] = ['VALIDATION_ERROR', 'IDEMPOTENCY_KEY_REUSED', 'IDEMPOTENCY_IN_PROGRESS'];
const ALWAYS: ErrorCode[] = ['INTERNAL_ERROR', 'STORE_UNAVAILABLE', 'SERVER_BUSY'];

/** By what `describeRoute` was told of the route. */
const SAID = { rateLimit: ['RATE_LIMITED'], idempotent: IDEMPOTENT, grows: ['STORE_FULL'] } satisfies Partial<
    Record<keyof RouteOptionsApp, ErrorCode[]>
>;

/** What a route may fail with: what it names itself, and what follows from its options. */
export function errorCodesOf(route: RequestRoute, operation: Operation, method: string): ErrorCode[] {
    const { app, auth, timeout } = route.settings;
    const isProbe = route.path?.startsWith('/health/') ?? false;
    const takesBody = method !== 'get';
    const needsCredential = operation.security === undefined;
    const follows: [boolean, ErrorCode[]][] = [
        [isChecked(operation), ['VALIDATION_ERROR']],
        [takesBody, BODY],
        [needsCredential, CREDENTIAL],
        [isClosable(route, operation), ['MAINTENANCE']],
        [needsCredential && app?.isQuotaFree !== true, ['QUOTA_EXCEEDED']],
        [needsCredential && takesBody, ['CSRF_REJECTED']],
        [typeof auth === 'object' && auth.access !== undefined, ['FORBIDDEN']],
        [!isProbe, ['HTTPS_REQUIRED']],
        [true, saidOf(app)],
        [true, ALWAYS],
        [timeout?.server !== false, ['REQUEST_TIMEOUT']],
    ];
    const following = follows.filter(([applies]) => applies).flatMap(([, codes]) => codes);
    return [...new Set([...(app?.errors ?? []), ...following])];
}

const saidOf = (app: RouteOptionsApp = {}): ErrorCode[] =>
    Object.entries(SAID).flatMap(([name, codes]) => (app[name as keyof typeof SAID] === undefined ? [] : codes));

/** A public route of the API that is refused in maintenance. */
const isClosable = ({ path, settings }: RequestRoute, { security }: Operation): boolean =>
    security !== undefined && path?.startsWith('/api/') && settings.app?.inMaintenance !== true;

const isChecked = ({ parameters, requestBody }: Operation): boolean =>
    parameters !== undefined || requestBody !== undefined;

/** One answer per status: the codes it may carry, with an example of each. */
export function errorAnswers(codes: ErrorCode[], form?: AnswerForm): Record<string, Response> {
    const statusOf = (code: ErrorCode) => catalogue[code].status;
    const statuses = [...new Set(codes.map(statusOf))];
    return Object.fromEntries(
        statuses.map((status) => [
            status,
            errorAnswer(
                codes.filter((code) => statusOf(code) === status),
                form,
            ),
        ]),
    );
}

const errorAnswer = (codes: ErrorCode[], form?: AnswerForm): Response => ({
    description: codes.map((code) => `- \`${code}\`: ${catalogue[code].message}`).join('\n'),
    content: {
        'application/json': {
            schema: { $ref: `#/components/schemas/${form?.name ?? 'ErrorAnswer'}` },
            examples: Object.fromEntries(
                codes.map((code) => [code, { $ref: `#/components/examples/${exampleName(code, form)}` }]),
            ),
        },
    },
});

const EXAMPLE_DETAILS: { [Code in ErrorCode]?: Record<string, unknown> } = {
    VALIDATION_ERROR: { fields: { title: 'title is not allowed to be empty' } },
    FORBIDDEN: { permission: 'thread:write' },
    QUOTA_EXCEEDED: {
        quota: 'requestsPerMonth',
        used: 10_000,
        limit: 10_000,
        resetsAt: '2026-12-01T00:00:00.000Z',
    },
    CONCURRENCY_LIMIT: { limit: 3 },
    MAINTENANCE: { message: 'Back at 14:00 UTC' },
};

const exampleName = (code: string, form?: AnswerForm): string => (form ? `${form.name}.${code}` : code);

/** The forms that routes have besides the envelope. */
export const formsOf = (routes: readonly Pick<RequestRoute, 'settings'>[]): AnswerForm[] => [
    ...new Set(routes.flatMap(({ settings }) => settings.app?.form ?? [])),
];

/** An example of each error, for `components`. */
export const errorExamples = () =>
    examplesOf(
        (error) => ({ success: false, error, ...exampleStamp }),
        (code) => code,
    );

/** The same in a form that answers have besides the envelope. */
export const formExamples = (form: AnswerForm) => examplesOf(form.failure, (code) => exampleName(code, form));

const examplesOf = <Value>(write: (error: ErrorBody) => Value, nameOf: (code: string) => string) =>
    Object.fromEntries(
        Object.entries(catalogue).map(([code, { message }]) => {
            const value = write(exampleError(code as ErrorCode));
            return [nameOf(code), { summary: message, value }];
        }),
    );

function exampleError(code: ErrorCode): ErrorBody {
    const details = EXAMPLE_DETAILS[code];
    return errorBody(apiError(code, details && { details }), exampleStamp.requestId);
}

const string = { type: 'string' };

/** The form of an error in the envelope. */
const ENVELOPE: Record<string, Schema> = {
    Error: {
        type: 'object',
        properties: {
            code: { type: 'string', description: 'an entry of `GET /api/errors`; more may be added' },
            message: string,
            category: { type: 'string', enum: [...new Set(Object.values(catalogue).map(({ category }) => category))] },
            statusCode: { type: 'integer' },
            details: { type: 'object', additionalProperties: true },
            suggestion: string,
            correlationId: { type: 'string', description: 'the same as `requestId`' },
        },
        required: ['code', 'message', 'category', 'statusCode', 'suggestion', 'correlationId'],
    },
    ErrorAnswer: {
        type: 'object',
        properties: {
            success: { type: 'boolean', enum: [false] },
            error: { $ref: '#/components/schemas/Error' },
            timestamp: { type: 'string', format: 'date-time' },
            requestId: string,
        },
        required: ['success', 'error', 'timestamp', 'requestId'],
    },
};

/** The forms of an error, for `components`. */
export const errorSchemas = (forms: AnswerForm[]): Record<string, Schema> => ({
    ...ENVELOPE,
    ...Object.fromEntries(forms.map(({ name, failureSchema }) => [name, failureSchema])),
});
