import { isBoom, type Boom } from '@hapi/boom';

import { AnswerForms } from './answer-form.ts';
import { deprecationHeaders } from './deprecation.ts';
import { apiError, errorBody, isApiError, type ErrorBody } from './errors.ts';
import { rateHeaders } from './rate-limit.ts';
import { assignRequestId } from './request-id.ts';
import { toApiError } from './to-api-error.ts';
import { isoTime } from '../redis/codec.ts';
import { noReports, type ErrorReports } from '../telemetry/error-reports.ts';

import type { Lifecycle, Plugin, Request, ResponseObject, ResponseToolkit } from '@hapi/hapi';
import type { AnswerForm } from './answer-form.ts';
import type { Clock } from '../clock.ts';

const VERSIONED = /^\/api\/v1(?=\/)/;

/** `/api/v1/…` is the same API, pinned: the routes are those of `/api/…`. */
const unpinVersion: Lifecycle.Method = (request, h) => {
    if (!VERSIONED.test(request.path)) return h.continue;
    try {
        request.setUrl(request.url.href.replace('/api/v1/', '/api/'));
    } catch (error) {
        // The Host header makes no URL.
        throw apiError('MALFORMED_REQUEST', { cause: error });
    }
    return h.continue;
};

/** Gives every answer its form: request id, envelope, catalogue error, headers. */
export const responses: Plugin<{ clock: Clock; errorReports?: ErrorReports }> = {
    name: 'responses',
    register: (server, { clock, errorReports = noReports }) => {
        const forms = new AnswerForms();
        server.expose('addForm', forms.add.bind(forms));
        server.ext('onRequest', assignRequestId);
        // It may fail, and a failure needs the logger of the request.
        server.ext('onRequest', unpinVersion, { after: 'hapi-pino' });
        server.ext('onPreResponse', (request, h) => {
            const stamp = { timestamp: isoTime(clock()), requestId: request.app.requestId };
            const { response } = request;
            const answer = isBoom(response)
                ? fail({ request, h, errorReports }, response, (error) => failure(error, forms.of(request.path), stamp))
                : succeed(request, response, stamp);
            answer.header('x-request-id', request.app.requestId);
            const { deprecated } = request.route.settings.app ?? {};
            const told = [...rateHeaders(request.app.rate), ...deprecationHeaders(deprecated)];
            for (const [name, value] of told) answer.header(name, value);
            if (request.app.isReplayed) answer.header('idempotent-replayed', 'true');
            return isBoom(response) ? answer : h.continue;
        });
    },
};

function succeed(request: Request, response: ResponseObject, stamp: object): ResponseObject {
    const { status, form } = request.route.settings.app ?? {};
    if (status === undefined || form || response.variety !== 'plain') return response;
    // Asked for as such, in place of JSON.
    if (typeof response.source === 'string') return response;
    const { pagination, ...data } = response.source as { pagination?: object };
    const envelope = { success: true, data, ...(pagination && { pagination }), ...stamp };
    Object.assign(response, { source: envelope });
    return response.statusCode === 200 ? response.code(status) : response;
}

const failure = (error: ErrorBody, form: AnswerForm | undefined, stamp: object): object =>
    form ? form.failure(error) : { success: false, error, ...stamp };

interface Failing {
    request: Request;
    h: ResponseToolkit;
    errorReports: ErrorReports;
}

function fail({ request, h, errorReports }: Failing, boom: Boom, form: (error: ErrorBody) => object): ResponseObject {
    const error = toApiError(boom);
    const body = errorBody(error, request.app.requestId);
    log(request, body, boom, errorReports);
    const answer = h.response(form(body)).code(body.statusCode);
    for (const [name, value] of Object.entries(error.output.headers)) answer.header(name, String(value));
    return body.statusCode === 401 ? answer.header('www-authenticate', 'Bearer') : answer;
}

/** A client is told the code; why it came to that stands in the log, under the same request id. */
function log(request: Request, { code, statusCode }: ErrorBody, error: Boom, errorReports: ErrorReports): void {
    request.app.errorCode = code;
    request.logger.setBindings({ errorCode: code });
    if (statusCode < 500) return;
    const cause = isApiError(error) ? error.cause : error;
    if (statusCode === 500)
        errorReports.report(cause, { module: 'http', requestId: request.app.requestId, ...userOf(request) });
    request.logger[statusCode === 500 ? 'error' : 'warn']({ err: cause }, error.message);
}

/** Whose request it is, where that is known. */
function userOf({ auth }: Request): { tenantId?: string; userId?: string } {
    if (!auth.isAuthenticated) return {};
    const { tenantId, userId } = auth.credentials.actor;
    return { tenantId, userId };
}
