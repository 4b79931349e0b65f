import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import Joi from 'joi';

import { describeRoute, type RouteDescription } from '../../../src/http/describe-route.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const lamp: RouteDescription = {
    tag: 'lamps',
    answer: Joi.object({ lamp: Joi.object({ on: Joi.boolean() }).label('Lamp') }).label('LampData'),
    example: { lamp: { on: true } },
};

/** The options that `describeRoute` gives, as a test wants to see them. */
interface Described {
    app: Record<string, unknown>;
    response?: { status: Record<string, Joi.Schema> };
    plugins: { 'hapi-swagger': { responses: Record<string, { schema: Joi.Schema }>; [option: string]: unknown } };
    [option: string]: unknown;
}

const described = (more: Partial<RouteDescription> = {}) =>
    describeRoute('Get a lamp', { ...lamp, ...more } as RouteDescription) as unknown as Described;

const documented = (more?: Partial<RouteDescription>) => described(more).plugins['hapi-swagger'];
/** The documented success, with the label and the example that it carries. */
function successOf(more?: Partial<RouteDescription>) {
    const { schema = Joi.any() } = documented(more).responses[200] ?? {};
    const { flags, metas } = schema.describe() as unknown as {
        flags: { label: string };
        metas: [{ examples: { pagination?: object } }];
    };
    return { schema, label: flags.label, example: metas[0].examples };
}

const refusal = (schema: Joi.Schema | undefined, value: unknown) => schema?.validate(value).error?.message;

describe('describeRoute', () => {
    it('gives summary, notes and tags', () => {
        expect(described({ notes: 'It shines.' })).to.include({
            description: 'Get a lamp',
            notes: 'It shines.',
            tags: ['api', 'lamps'],
        });
        expect(described()).to.not.include('notes');
    });

    it('keeps status, errors and limit for the platform', () => {
        const rateLimit = { limit: 5, window: 60, bucket: 'lamp' };
        const { app } = described({ status: 201, errors: ['DOMAIN_TAKEN'], rateLimit });
        expect(app).to.equal({ status: 201, errors: ['DOMAIN_TAKEN'], rateLimit });
        expect(described().app).to.equal({ status: 200, errors: [] });
    });

    it('has the data that a handler gives checked, each key of it', () => {
        const schema = described({ status: 201 }).response?.status[201];
        expect(refusal(schema, { lamp: { on: true } })).to.be.undefined();
        expect(refusal(schema, { lamp: {} })).to.equal('"lamp.on" is required');
        expect(refusal(schema, { lamp: { on: true }, secret: 1 })).to.equal('"secret" is not allowed');
    });

    it('has the pagination of a page checked with the data', () => {
        const schema = described({ isPage: true }).response?.status[200];
        const pagination = { cursor: null, limit: 20, hasMore: false };
        expect(refusal(schema, { lamp: { on: true }, pagination })).to.be.undefined();
        expect(refusal(schema, { lamp: { on: true } })).to.equal('"Pagination" is required');
    });

    it('documents the whole envelope, with an example that fits it', () => {
        const { schema, label, example } = successOf();
        expect(label).to.equal('LampDataAnswer');
        expect(example).to.include({ success: true, data: lamp.example });
        expect(refusal(schema, example)).to.be.undefined();
        expect(refusal(schema, { ...example, success: false })).to.exist();
        expect(refusal(schema, { ...example, data: {} })).to.equal('"Lamp" is required');
    });

    it('documents the pagination of a page beside the data', () => {
        const { schema, example } = successOf({ isPage: true });
        expect(example.pagination).to.include({ hasMore: false });
        expect(refusal(schema, example)).to.be.undefined();
        expect(refusal(schema, { ...example, pagination: undefined })).to.equal('"Pagination" is required');
    });

    it('documents a limit with whom it counts', () => {
        const rateLimit = { limit: 5, window: 60, bucket: 'lamp' };
        expect(documented({ rateLimit })['x-rate-limit']).to.equal({ limit: 5, window: 60, per: 'user' });
        expect(documented({ rateLimit, isPublic: true })['x-rate-limit']).to.equal({ limit: 5, window: 60, per: 'ip' });
        expect(documented()).to.not.include('x-rate-limit');
    });

    it('documents that a public route needs no credential', () => {
        expect(documented({ isPublic: true }).security).to.equal([]);
        expect(documented()).to.not.include('security');
    });

    it('has an answer that may be a stream not checked', () => {
        const streamExample = [{ id: '0', event: 'close', data: {} }];
        const { response, app } = described({ streamExample });
        expect(response).to.be.undefined();
        expect(app.streamExample).to.equal(streamExample);
    });

    it('says that the route does not count against the quota', () => {
        expect(described({ isQuotaFree: true }).app.isQuotaFree).to.be.true();
        expect(described().app).to.not.include('isQuotaFree');
    });

    it('says that the route is open while the tenant is restored', () => {
        expect(described({ whileRestoring: true }).app.whileRestoring).to.be.true();
        expect(described().app).to.not.include('whileRestoring');
    });

    it('says that the route takes an Idempotency-Key, which only a user can have', () => {
        expect(described({ idempotent: 'shared' }).app.idempotent).to.equal('shared');
        expect(described().app).to.not.include('idempotent');
        expect(() => described({ idempotent: true, isPublic: true })).to.throw('An Idempotency-Key belongs to a user');
    });

    it('refuses an answer without a label', () => {
        expect(() => described({ answer: Joi.object({}) })).to.throw('The schema of an answer needs a label');
    });
});
