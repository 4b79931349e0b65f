import { Boom } from '@hapi/boom';

import { accessErrors } from './errors/access-errors.ts';
import { capacityErrors } from './errors/capacity-errors.ts';
import { paymentErrors } from './errors/payment-errors.ts';
import { recordErrors } from './errors/record-errors.ts';
import { requestErrors } from './errors/request-errors.ts';

import type { ErrorCategory } from './errors/entry.ts';

export type { CatalogueEntry } from './errors/entry.ts';

/** Every error the API answers with. Served at `GET /api/errors` and listed in the OpenAPI document. */
export const catalogue = { ...requestErrors, ...accessErrors, ...paymentErrors, ...recordErrors, ...capacityErrors };

export type { ErrorCategory };

export type ErrorCode = keyof typeof catalogue;

/** An error from the catalogue; `data.code` names its entry. */
export type ApiError = Boom<{ code: ErrorCode; details?: Record<string, unknown> }>;

export interface ErrorOptions {
    /** What the client may know besides the catalogue's text. */
    details?: Record<string, unknown>;
    /** Seconds until a retry makes sense, sent as Retry-After. */
    retryAfter?: number;
    /** What went wrong underneath: for the log, never for the client. */
    cause?: unknown;
}

/** Makes the error of a catalogue code, to be thrown. */
export function apiError(code: ErrorCode, { details, retryAfter, cause }: ErrorOptions = {}): ApiError {
    const { status, message } = catalogue[code];
    const error: ApiError = new Boom(message, { statusCode: status, data: { code, ...(details && { details }) } });
    if (retryAfter !== undefined) error.output.headers['retry-after'] = Math.ceil(retryAfter);
    if (cause !== undefined) error.cause = cause;
    return error;
}

/** Whether an error is one of the catalogue's, with that code if one is given. */
export function isApiError(error: unknown, code?: ErrorCode): error is ApiError {
    if (!(error instanceof Boom)) return false;
    const data: unknown = error.data;
    if (typeof data !== 'object' || data === null || !('code' in data)) return false;
    return code === undefined ? Object.hasOwn(catalogue, String(data.code)) : data.code === code;
}

/** What is not there as null; every other error is thrown on. */
export const orNull = <T>(promise: Promise<T>, code: ErrorCode): Promise<T | null> =>
    promise.catch((error: unknown) => {
        if (isApiError(error, code)) return null;
        throw error;
    });

/** The `error` object of an answer or of an `error` event. */
export interface ErrorBody {
    code: ErrorCode;
    message: string;
    category: ErrorCategory;
    statusCode: number;
    details?: Record<string, unknown>;
    suggestion: string;
    correlationId: string;
}

/** @param requestId Becomes the `correlationId` */
export function errorBody({ data }: ApiError, requestId: string): ErrorBody {
    const code = data?.code ?? 'INTERNAL_ERROR';
    const { status, category, message, suggestion } = catalogue[code];
    const details = data?.details;
    return {
        code,
        message,
        category,
        statusCode: status,
        ...(details && { details }),
        suggestion,
        correlationId: requestId,
    };
}
