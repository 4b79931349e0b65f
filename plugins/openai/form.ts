import type { AnswerForm } from '../../src/http/answer-form.ts';
import type { ErrorBody, ErrorCategory, ErrorCode } from '../../src/http/errors.ts';

/** https://platform.openai.com/docs/guides/error-codes */
export interface OpenAiError {
    error: {
        message: string;
        type: string;
        /** The field of the request that is wrong. */
        param: string | null;
        code: string;
    };
}

const TYPES: Record<ErrorCategory, string> = {
    validation: 'invalid_request_error',
    authentication: 'authentication_error',
    payment: 'insufficient_quota',
    authorization: 'permission_error',
    not_found: 'invalid_request_error',
    conflict: 'invalid_request_error',
    rate_limit: 'rate_limit_error',
    server: 'server_error',
    service_unavailable: 'server_error',
};

/** What OpenAI has a word of its own for, by which clients decide; the others are ours in lower case. */
const CODES: { [Code in ErrorCode]?: string } = {
    UNAUTHENTICATED: 'invalid_api_key',
    KEY_INVALID: 'invalid_api_key',
    RATE_LIMITED: 'rate_limit_exceeded',
    QUOTA_EXCEEDED: 'insufficient_quota',
    INSUFFICIENT_CREDITS: 'insufficient_quota',
    SPEND_LIMIT_REACHED: 'billing_hard_limit_reached',
};

/** An error of the catalogue as OpenAI would say it. */
export function toOpenAiError({ code, message, category, details = {}, suggestion }: ErrorBody): OpenAiError {
    const { fields, ...figures } = details;
    const faults = Object.entries((fields ?? {}) as Record<string, string>);
    const told = [
        ...faults.map(([field, fault]) => (fault.startsWith(field) ? fault : `${field}: ${fault}`)),
        ...Object.entries(figures).map(
            ([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
        ),
    ];
    return {
        error: {
            message: told.length > 0 ? `${message} (${told.join('; ')})` : `${message} ${suggestion}`,
            type: TYPES[category],
            param: code === 'MODEL_NOT_FOUND' ? 'model' : (faults[0]?.[0] ?? null),
            code: CODES[code] ?? code.toLowerCase(),
        },
    };
}

const string = { type: 'string' };

/** What is below `/v1/` is in OpenAI's form. */
export const openAiForm: AnswerForm = {
    name: 'OpenAiError',
    prefix: '/v1/',
    failure: toOpenAiError,
    failureSchema: {
        type: 'object',
        properties: {
            error: {
                type: 'object',
                properties: {
                    message: string,
                    type: { ...string, enum: [...new Set(Object.values(TYPES))] },
                    param: { ...string, nullable: true, description: 'the field of the request that is wrong' },
                    code: { ...string, description: 'a code of `GET /api/errors` in lower case, or OpenAI’s own' },
                },
                required: ['message', 'type', 'param', 'code'],
            },
        },
        required: ['error'],
    },
};
