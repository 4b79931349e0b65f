import Joi from 'joi';

import { apiError, isApiError, type ApiError, type ErrorCode } from './errors.ts';
import { isStoreUnavailable } from '../redis/client.ts';

import type { Boom } from '@hapi/boom';

const RETRY_AFTER_S = 2;

/** What hapi itself refuses a request with. */
const BY_STATUS: Record<number, ErrorCode> = {
    400: 'MALFORMED_REQUEST',
    401: 'UNAUTHENTICATED',
    404: 'ROUTE_NOT_FOUND',
    408: 'MALFORMED_REQUEST',
    413: 'PAYLOAD_TOO_LARGE',
    415: 'UNSUPPORTED_MEDIA_TYPE',
    503: 'REQUEST_TIMEOUT',
};

/** The catalogue error that an error of hapi, Joi, Redis or our own stands for. */
export function toApiError(error: Boom): ApiError {
    if (isApiError(error)) return error;
    if (isStoreUnavailable(error)) return apiError('STORE_UNAVAILABLE', { retryAfter: RETRY_AFTER_S, cause: error });
    // An answer of ours that does not meet its schema is a Joi error as well, and no fault of the request: that is a 500.
    const isFaulty = error instanceof Joi.ValidationError && error.output.statusCode === 400;
    if (isFaulty) return apiError('VALIDATION_ERROR', { details: { fields: faults(error) } });
    if (error.output.statusCode === 403) return forbidden(error);
    return apiError(BY_STATUS[error.output.statusCode] ?? 'INTERNAL_ERROR', { cause: error });
}

/** What is wrong, by the path of the field. */
const faults = ({ details }: Joi.ValidationError): Record<string, string> =>
    Object.fromEntries(details.map(({ path, message }) => [path.join('.') || 'body', message]));

/** Hapi names the scopes that the route needs: those are our permissions. */
function forbidden({ data }: Boom): ApiError {
    const { need = [] } = (data ?? {}) as { need?: Record<string, string[]>[] };
    const permissions = need.flatMap((scope) => Object.values(scope).flat());
    return apiError('FORBIDDEN', { details: { permission: permissions.join(', ') } });
}
