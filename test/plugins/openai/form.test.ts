import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { toOpenAiError } from '../../../plugins/openai/form.ts';
import { apiError, errorBody, type ErrorCode } from '../../../src/http/errors.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const errorOf = (code: ErrorCode, details?: Record<string, unknown>) =>
    toOpenAiError(errorBody(apiError(code, details && { details }), 'req_1')).error;

describe('toOpenAiError', () => {
    it('tells what happened and what to do', () => {
        expect(errorOf('KEY_INVALID')).to.equal({
            message:
                'The API key is not valid. Check that it is complete; a key that was revoked or has expired must be replaced.',
            type: 'authentication_error',
            param: null,
            code: 'invalid_api_key',
        });
    });

    it('tells the details in place of the suggestion', () => {
        const { message, code } = errorOf('QUOTA_EXCEEDED', { quota: 'requestsPerMonth', limit: 10 });
        expect(message).to.match(/\(quota: requestsPerMonth; limit: 10\)$/);
        expect(code).to.equal('insufficient_quota');
    });

    it('names the first field that is wrong, and tells of all', () => {
        const fields = { n: 'n must be [1]', 'messages.0': 'needs content' };
        const { param, message } = errorOf('VALIDATION_ERROR', { fields });
        expect(param).to.equal('n');
        expect(message).to.equal('The request is not valid. (n must be [1]; messages.0: needs content)');
    });

    it('has a type for each category', () => {
        const types = (['ROUTE_NOT_FOUND', 'FORBIDDEN', 'RATE_LIMITED', 'INTERNAL_ERROR', 'SERVER_BUSY'] as const).map(
            (code) => errorOf(code).type,
        );
        const expected = [
            'invalid_request_error',
            'permission_error',
            'rate_limit_error',
            'server_error',
            'server_error',
        ];
        expect(types).to.equal(expected);
    });
});
