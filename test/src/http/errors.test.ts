import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Boom } from '@hapi/boom';
import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { apiError, catalogue, errorBody, isApiError, type ErrorCode } from '../../../src/http/errors.ts';
import { packageRoot } from '../../../src/package-root.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const codes = Object.keys(catalogue) as ErrorCode[];

/** Where codes are listed and not thrown: the catalogue, and what routes say of themselves in the documentation. */
const LISTS = /^src\/http\/(errors|describe-route)(\.ts$|\/)/;
const ERRORS_OF_A_ROUTE = /\berrors: \[[^\]]*\]/g;

function sources(): string {
    const root = packageRoot();
    return ['src', 'plugins']
        .flatMap((room) =>
            readdirSync(join(root, room), { recursive: true, encoding: 'utf8' }).map((name) => `${room}/${name}`),
        )
        .filter((name) => name.endsWith('.ts') && !LISTS.test(name))
        .map((name) => readFileSync(join(root, name), 'utf8').replace(ERRORS_OF_A_ROUTE, ''))
        .join('\n');
}

describe('catalogue', () => {
    const categories: Record<string, number[]> = {
        validation: [400, 413, 415, 422],
        authentication: [401],
        payment: [402],
        authorization: [403],
        not_found: [404],
        conflict: [409, 412],
        rate_limit: [429],
        server: [500, 502, 504],
        service_unavailable: [503, 507],
    };

    it('names its codes in upper case, with a status of their category, a message and a suggestion', () => {
        for (const code of codes) {
            const { status, category, message, suggestion } = catalogue[code];
            expect(code).to.match(/^[A-Z]+(_[A-Z]+)*$/);
            expect(categories[category], code).to.include(status);
            expect(message, code).to.match(/^[A-Z].*\.$/);
            expect(suggestion, code).to.match(/^[A-Z].*\.$/);
        }
    });

    it('has each code in one of its files only', () => {
        const folder = join(packageRoot(), 'src/http/errors');
        const text = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
        const written = [...text.join('\n').matchAll(/^    ([A-Z_]+): entry\(/gm)].map(([, code = '']) => code);
        expect(written.toSorted()).to.equal(codes.toSorted());
    });

    it('has no code that is thrown nowhere', () => {
        const text = sources();
        const unused = codes.filter((code) => !text.includes(`'${code}'`) && !text.includes(`${code}:`));
        expect(unused).to.equal([]);
    });
});

describe('apiError', () => {
    it('makes the error of every code', () => {
        for (const code of codes) {
            const error = apiError(code);
            expect(error.output.statusCode).to.equal(catalogue[code].status);
            expect(error.message).to.equal(catalogue[code].message);
            expect(error.data).to.equal({ code });
            expect(error.output.headers).to.equal({});
            expect(error.cause).to.be.undefined();
        }
    });

    it('carries details, whole seconds to wait, and the cause', () => {
        const cause = new Error('underneath');
        const error = apiError('RATE_LIMITED', { details: { quota: 'x' }, retryAfter: 1.2, cause });
        expect(error.data).to.equal({ code: 'RATE_LIMITED', details: { quota: 'x' } });
        expect(error.output.headers).to.equal({ 'retry-after': 2 });
        expect(error.cause).to.shallow.equal(cause);
        expect(apiError('RATE_LIMITED', { retryAfter: 0 }).output.headers).to.equal({ 'retry-after': 0 });
    });
});

describe('isApiError', () => {
    it('knows an error of the catalogue, and its code', () => {
        expect(isApiError(apiError('FORBIDDEN'))).to.be.true();
        expect(isApiError(apiError('FORBIDDEN'), 'FORBIDDEN')).to.be.true();
        expect(isApiError(apiError('FORBIDDEN'), 'RATE_LIMITED')).to.be.false();
    });

    it('takes nothing else for one', () => {
        const others = [
            new Error('x'),
            new Boom('x', { statusCode: 403 }),
            new Boom('x', { data: 'FORBIDDEN' }),
            new Boom('x', { data: {} }),
            new Boom('x', { data: { code: 'EACCES' } }),
            new Boom('x', { data: { code: 'toString' } }),
            { isBoom: true, data: { code: 'FORBIDDEN' } },
            null,
            undefined,
        ];
        expect(others.filter((error) => isApiError(error))).to.equal([]);
    });
});

describe('errorBody', () => {
    it('gives what a client is told, and nothing of the cause', () => {
        const error = apiError('FORBIDDEN', { details: { permission: 'x:y' }, cause: new Error('underneath') });
        expect(errorBody(error, 'req_1')).to.equal({
            code: 'FORBIDDEN',
            message: catalogue.FORBIDDEN.message,
            category: 'authorization',
            statusCode: 403,
            details: { permission: 'x:y' },
            suggestion: catalogue.FORBIDDEN.suggestion,
            correlationId: 'req_1',
        });
        expect(errorBody(apiError('FORBIDDEN'), 'req_1')).to.not.include('details');
    });

    it('takes an error without a code for one of ours', () => {
        expect(errorBody(new Boom('secret'), 'req_1')).to.include({ code: 'INTERNAL_ERROR', statusCode: 500 });
    });
});
