import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import Joi from 'joi';

import { describeRoute, type RouteDescription } from '../../../src/http/describe-route.ts';
import { catalogue, type ErrorCode } from '../../../src/http/errors.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const answer = Joi.object({ value: Joi.number() }).label('ValueData');
const describeTest = (more: Partial<RouteDescription> = {}) =>
    describeRoute('A summary', { tag: 'test', answer, example: { value: 1 }, ...more });

interface Documented {
    description: string;
    schema: Joi.ObjectSchema;
}

const documented = (more: Partial<RouteDescription> = {}, status = 200): Documented | undefined =>
    (describeTest(more).plugins['hapi-swagger'].responses as Record<number, Documented>)[status];
const exampleOf = (found: Documented | undefined) =>
    (found?.schema.describe().metas as { examples: Record<string, unknown> }[] | undefined)?.[0]?.examples;
const labelOf = (found: Documented | undefined) =>
    (found?.schema.describe().flags as { label?: string } | undefined)?.label;

/** The codes that a description names, over all statuses. */
const codesOf = (more: Partial<RouteDescription> = {}): string[] => {
    const { responses } = describeTest(more).plugins['hapi-swagger'];
    const texts = Object.values(responses as Record<string, Documented>).map(({ description }) => description);
    return texts.flatMap((text) => [...text.matchAll(/^([A-Z_]+):/gm)].map(([, code = '']) => code));
};

describe('describeRoute', () => {
    it('gives summary, group and status to hapi', () => {
        const options = describeTest();
        expect(options).to.include({ description: 'A summary', tags: ['api', 'test'], app: { status: 200 } });
        expect(options).not.to.include('notes');
        expect(options.response?.status[200]).to.shallow.equal(answer);
    });

    it('gives notes, status and rate limit where they are given', () => {
        const rateLimit = { limit: 5, window: 60 };
        const options = describeTest({ notes: 'A note', status: 201, rateLimit });
        expect(options).to.include({ notes: 'A note', app: { status: 201, rateLimit } });
        expect(options.response?.status[201]).to.shallow.equal(answer);
        expect(options.plugins['hapi-swagger']).to.include({ 'x-rate-limit': rateLimit });
    });

    it('documents the whole success, with its example and a name after the data', () => {
        const success = documented();
        expect(labelOf(success)).to.equal('ValueDataAnswer');
        const example = exampleOf(success);
        expect(example).to.include({ success: true, data: { value: 1 } });
        expect(success?.schema.validate(example).error).to.be.undefined();
        expect(example).not.to.include('pagination');
    });

    it('puts the pagination of a page beside its data, in the answer and in the document', () => {
        const page = { value: 1, pagination: { cursor: null, limit: 20, hasMore: false } };
        const { response } = describeTest({ isPage: true });
        expect(response?.status[200]?.validate(page).error).to.be.undefined();
        expect(describeTest().response?.status[200]?.validate(page).error).to.be.an.error();
        const success = documented({ isPage: true });
        const example = exampleOf(success);
        expect(example).to.include(['pagination', 'data']);
        expect(success?.schema.validate(example).error).to.be.undefined();
    });

    it('documents what any route fails with, and what one with a credential does', () => {
        expect(codesOf({ isPublic: true }).toSorted()).to.equal([
            'INTERNAL_ERROR',
            'REQUEST_TIMEOUT',
            'STORE_UNAVAILABLE',
            'VALIDATION_ERROR',
        ]);
        expect(codesOf()).to.include(['UNAUTHENTICATED', 'FORBIDDEN', 'RATE_LIMITED', 'TENANT_SUSPENDED']);
    });

    it('documents each code once, under its status, with a whole example', () => {
        const errors: ErrorCode[] = ['TENANT_NOT_FOUND', 'USER_NOT_FOUND', 'FORBIDDEN'];
        const codes = codesOf({ errors });
        expect(codes).to.include(errors);
        expect(new Set(codes).size).to.equal(codes.length);
        const missing = documented({ errors }, 404);
        expect(missing?.description).to.include(catalogue.TENANT_NOT_FOUND.message);
        expect(missing?.description).to.include('USER_NOT_FOUND: ');
        const example = exampleOf(missing);
        expect(example?.error).to.include({ code: 'TENANT_NOT_FOUND', statusCode: 404, category: 'not_found' });
        expect(missing?.schema.validate(example).error).to.be.undefined();
    });
});
