import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import Joi from 'joi';

import { describeRoute } from '../../../src/http/describe-route.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { servedDocument } from '../../helpers/openapi.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const deprecated = { since: '2026-11-20T00:00:00.000Z', sunset: '2027-06-01T12:00:00.000Z', successor: '/api/lamps' };

const describeLamp = (deprecation = deprecated) =>
    describeRoute('Get the lamp', {
        tag: 'health',
        notes: 'It shines.',
        answer: Joi.object({ on: Joi.boolean() }).label('LampData'),
        example: { on: true },
        isPublic: true,
        deprecated: deprecation,
    });

describe('a route that is to be withdrawn', () => {
    let app: TestApp;

    before(async () => {
        app = await startApp();
        app.server.route({
            method: 'GET',
            path: '/api/lamp',
            options: { ...describeLamp(), auth: false, validate: { query: Joi.object({}) } },
            handler: () => ({ on: true }),
        });
    });

    after(() => app.stop());

    it('says so in each answer, since when and until when, and what takes its place', async () => {
        const told = {
            deprecation: '@1795132800',
            sunset: 'Tue, 01 Jun 2027 12:00:00 GMT',
            link: '</api/lamps>; rel="successor-version"',
        };
        for (const url of ['/api/lamp', '/api/v1/lamp']) expect((await app.call('GET', url)).headers).to.include(told);
        const refused = await app.call('GET', '/api/lamp?colour=red');
        expectError(refused, 'VALIDATION_ERROR');
        expect(refused.headers).to.include(told);
    });

    it('is told from the others', async () => {
        const { headers } = await app.call('GET', '/health/live');
        expect(Object.keys(headers)).to.not.include(['deprecation', 'sunset', 'link']);
    });

    it('is shown as such in the document', async () => {
        const { document, operations } = await servedDocument(app);
        const { get } = document.paths['/api/lamp'];
        expect(get.deprecated).to.be.true();
        expect(get.description).to.equal('**To be withdrawn on 2027-06-01.** Use `/api/lamps`.\n\nIt shines.');
        for (const status of ['200', '503']) {
            expect(get.responses[status].headers.Sunset).to.equal({ $ref: '#/components/headers/Sunset' });
        }
        const others = operations.filter(({ path }) => path !== '/api/lamp');
        for (const { name, operation } of others.filter((one) => one.operation.deprecated !== true)) {
            expect(JSON.stringify(operation.responses), name).to.not.include('headers/Sunset');
        }
    });

    it('is withdrawn after that is made known, at a time that there is', () => {
        for (const sunset of [deprecated.since, 'some day']) {
            expect(() => describeLamp({ ...deprecated, sunset })).to.throw(/withdrawn after/);
        }
    });
});
