import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { errorAnswers, errorCodesOf, errorExamples } from '../../../plugins/docs/error-answers.ts';
import { catalogue } from '../../../src/http/errors.ts';

import type { RequestRoute } from '@hapi/hapi';
import type { Operation } from '../../../plugins/docs/openapi.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const PUBLIC = { responses: {}, security: [] };
const route = (settings: object = {}, method = 'get') => ({ method, settings }) as unknown as RequestRoute;
const codesOf = (settings?: object, operation: Operation = PUBLIC, method = 'get') =>
    errorCodesOf(route(settings, method), operation, method);

describe('errorCodesOf', () => {
    it('has little for a public route that takes nothing', () => {
        expect(codesOf()).to.equal([
            'HTTPS_REQUIRED',
            'INTERNAL_ERROR',
            'STORE_UNAVAILABLE',
            'SERVER_BUSY',
            'REQUEST_TIMEOUT',
        ]);
    });

    it('has HTTPS_REQUIRED except for the probes', () => {
        const probe = { method: 'get', path: '/health/live', settings: {} } as unknown as RequestRoute;
        expect(errorCodesOf(probe, PUBLIC, 'get')).to.not.include('HTTPS_REQUIRED');
    });

    it('has what the route names, first and once', () => {
        const codes = codesOf({ app: { errors: ['DOMAIN_TAKEN', 'INTERNAL_ERROR'] } });
        expect(codes).to.equal([
            'DOMAIN_TAKEN',
            'INTERNAL_ERROR',
            'HTTPS_REQUIRED',
            'STORE_UNAVAILABLE',
            'SERVER_BUSY',
            'REQUEST_TIMEOUT',
        ]);
    });

    it('has the refusals of a credential where one is needed', () => {
        const refusals = ['UNAUTHENTICATED', 'TOKEN_EXPIRED', 'SESSION_ENDED', 'TENANT_SUSPENDED', 'RATE_LIMITED'];
        expect(codesOf({}, { responses: {} })).to.include(refusals);
        expect(codesOf().some((code) => refusals.includes(code))).to.be.false();
    });

    it('has FORBIDDEN where a permission is needed', () => {
        expect(codesOf({ auth: { access: [{ scope: {} }] } })).to.include('FORBIDDEN');
        expect(codesOf({ auth: { mode: 'try' } })).to.not.include('FORBIDDEN');
    });

    it('has what a body may be refused with, save where there is none', () => {
        const refusals = ['MALFORMED_REQUEST', 'PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'];
        expect(codesOf({}, PUBLIC, 'post')).to.include(refusals);
        expect(codesOf().some((code) => refusals.includes(code))).to.be.false();
    });

    it('has CSRF_REJECTED where a cookie may change something', () => {
        expect(codesOf({}, { responses: {} }, 'post')).to.include('CSRF_REJECTED');
        expect(codesOf({}, { responses: {} }, 'get')).to.not.include('CSRF_REJECTED');
        expect(codesOf({}, PUBLIC, 'post')).to.not.include('CSRF_REJECTED');
    });

    it('has VALIDATION_ERROR where something is validated', () => {
        expect(codesOf({}, { ...PUBLIC, parameters: [] })).to.include('VALIDATION_ERROR');
        expect(codesOf({}, { ...PUBLIC, requestBody: { content: {} } })).to.include('VALIDATION_ERROR');
    });

    it('has the refusals of a repeat where an Idempotency-Key is taken', () => {
        const refusals = ['VALIDATION_ERROR', 'IDEMPOTENCY_KEY_REUSED', 'IDEMPOTENCY_IN_PROGRESS'];
        expect(codesOf({ app: { idempotent: true } })).to.include(refusals);
        expect(codesOf({ app: { idempotent: 'shared' } })).to.include(refusals);
        expect(codesOf().some((code) => refusals.includes(code))).to.be.false();
    });

    it('has QUOTA_EXCEEDED where a request counts against the quota', () => {
        const needy = { responses: {} };
        expect(codesOf({}, needy)).to.include('QUOTA_EXCEEDED');
        const free = codesOf({ app: { isQuotaFree: true } }, needy);
        expect(free).to.include('RATE_LIMITED').and.not.include('QUOTA_EXCEEDED');
        expect(codesOf()).to.not.include('QUOTA_EXCEEDED');
    });

    it('has RATE_LIMITED for a limit, and no timeout where there is none', () => {
        const codes = codesOf({ app: { rateLimit: { limit: 1, window: 1 } }, timeout: { server: false } });
        expect(codes).to.include('RATE_LIMITED').and.not.include('REQUEST_TIMEOUT');
    });
});

describe('errorAnswers', () => {
    it('has one answer per status with all its codes', () => {
        const answers = errorAnswers(['THREAD_NOT_FOUND', 'INTERNAL_ERROR', 'MODEL_NOT_FOUND']);
        expect(Object.keys(answers)).to.equal(['404', '500']);
        expect(answers['404']?.description).to.equal(
            '- `THREAD_NOT_FOUND`: There is no such thread.\n- `MODEL_NOT_FOUND`: There is no such model.',
        );
        expect(answers['404']?.content['application/json']?.examples).to.equal({
            THREAD_NOT_FOUND: { $ref: '#/components/examples/THREAD_NOT_FOUND' },
            MODEL_NOT_FOUND: { $ref: '#/components/examples/MODEL_NOT_FOUND' },
        });
    });
});

describe('errorExamples', () => {
    it('has the envelope of every error of the catalogue', () => {
        const examples = errorExamples();
        expect(Object.keys(examples)).to.equal(Object.keys(catalogue));
        const { value } = examples.VALIDATION_ERROR ?? {};
        expect(value).to.only.include(['success', 'error', 'timestamp', 'requestId']);
        expect(value?.error.correlationId).to.equal(value?.requestId);
        expect(value?.error.details).to.include('fields');
    });
});
