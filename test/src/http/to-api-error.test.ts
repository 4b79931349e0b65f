import { Boom, boomify } from '@hapi/boom';
import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import Joi from 'joi';

import { apiError, errorBody } from '../../../src/http/errors.ts';
import { toApiError } from '../../../src/http/to-api-error.ts';

export const lab = Lab.script();
const { describe, it } = lab;

describe('toApiError', () => {
    it('leaves an error of the catalogue as it is', () => {
        const error = apiError('TENANT_SUSPENDED');
        expect(toApiError(error)).to.shallow.equal(error);
    });

    it('says that the datastore is away, and when to come back', () => {
        const cause = boomify(new Error('Connection is closed.'));
        const error = toApiError(cause);
        expect(error.data).to.equal({ code: 'STORE_UNAVAILABLE' });
        expect(error.output.headers).to.equal({ 'retry-after': 2 });
        expect(error.cause).to.shallow.equal(cause);
    });

    it('tells the faults of a request by the path of the field', () => {
        const schema = Joi.object({ name: Joi.string().required(), tags: Joi.array().items({ size: Joi.number() }) });
        const { error } = schema.validate({ tags: [{ size: 1 }, { size: 'x' }], more: 1 }, { abortEarly: false });
        const refused = toApiError(boomify(error as Error, { statusCode: 400 }));
        expect(refused.data).to.equal({
            code: 'VALIDATION_ERROR',
            details: {
                fields: {
                    name: '"name" is required',
                    'tags.1.size': '"tags[1].size" must be a number',
                    more: '"more" is not allowed',
                },
            },
        });
    });

    it('names the permission that hapi found missing', () => {
        const data = { got: [], need: [{ selection: ['thread:read'], required: ['tenant:suspend'] }] };
        const error = toApiError(new Boom('Insufficient scope', { statusCode: 403, data }));
        expect(error.data).to.equal({ code: 'FORBIDDEN', details: { permission: 'thread:read, tenant:suspend' } });
        expect(toApiError(new Boom('x', { statusCode: 403 })).data?.code).to.equal('FORBIDDEN');
    });

    it('has a code for everything that hapi refuses, and keeps the cause', () => {
        const expected: Record<number, string> = {
            400: 'MALFORMED_REQUEST',
            401: 'UNAUTHENTICATED',
            404: 'ROUTE_NOT_FOUND',
            408: 'MALFORMED_REQUEST',
            413: 'PAYLOAD_TOO_LARGE',
            415: 'UNSUPPORTED_MEDIA_TYPE',
            503: 'REQUEST_TIMEOUT',
            500: 'INTERNAL_ERROR',
            502: 'INTERNAL_ERROR',
            418: 'INTERNAL_ERROR',
        };
        for (const [status, code] of Object.entries(expected)) {
            const cause = new Boom('secret', { statusCode: Number(status) });
            const error = toApiError(cause);
            expect(error.data, status).to.equal({ code } as never);
            expect(error.cause).to.shallow.equal(cause);
        }
    });

    it('shows a client nothing of an error of our own', () => {
        const error = toApiError(boomify(new TypeError('the password is hunter2')));
        expect(JSON.stringify(errorBody(error, 'req_1'))).to.not.include('hunter2');
        expect(error.data).to.equal({ code: 'INTERNAL_ERROR' });
    });
});
