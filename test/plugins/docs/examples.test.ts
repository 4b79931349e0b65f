import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import Joi from 'joi';

import { startApp, type TestApp } from '../../helpers/app.ts';
import { servedDocument, type DocumentedOperation, type ServedDocument } from '../../helpers/openapi.ts';

import type { RequestRoute } from '@hapi/hapi';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

interface Parameter {
    name: string;
    in: 'path' | 'query' | 'header';
    example: unknown;
    schema: object;
}

/** The success of an operation, by content type. */
const successOf = ({ responses }: DocumentedOperation['operation']): Record<string, Content> => {
    const [status = ''] = Object.keys(responses).filter((code) => code < '400');
    return responses[status].content;
};

interface Content {
    example?: unknown;
    schema: { $ref?: string; format?: string };
}

describe('The examples of /openapi.json', () => {
    let app: TestApp;
    let served: ServedDocument;

    before(async () => {
        app = await startApp();
        served = await servedDocument(app);
    });

    after(() => app.stop());

    /** What hapi holds a part of a request to. */
    const joiOf = ({ path, method }: DocumentedOperation, place: Parameter['in']): Joi.ObjectSchema => {
        const isShown = (route: RequestRoute) =>
            route.path.replace('*}', '}') === path && [method, '*'].includes(route.method);
        const { validate = {} } = app.server.table().find(isShown)?.settings ?? {};
        const part = { path: validate.params, query: validate.query, header: validate.headers }[place];
        return Joi.isSchema(part) ? (part as Joi.ObjectSchema) : Joi.object();
    };

    it('of parameters are there, and fit the schema and the route', () => {
        let count = 0;
        for (const operation of served.operations) {
            const parameters = (operation.operation.parameters ?? []) as Parameter[];
            for (const [n, { name, in: place, example }] of parameters.entries()) {
                const said = `${operation.name} ${name}`;
                expect(example, said).to.exist();
                const { path, method } = operation;
                const schema = ['paths', path, method, 'parameters', String(n), 'schema'];
                expect(served.faults(schema, example), said).to.equal('');
                const joi = joiOf(operation, place);
                // An Idempotency-Key is looked at elsewhere, and bytes of a path are not.
                if (joi.$_terms.keys?.some(({ key }: { key: string }) => key === name) !== true) continue;
                count += 1;
                expect(joi.extract(name).validate(example).error, said).to.be.undefined();
            }
        }
        expect(count).to.be.above(250);
    });

    it('of schemas and of parts of them fit', () => {
        let count = 0;
        const walk = (schema: Record<string, unknown>, place: string[]): void => {
            if (typeof schema !== 'object' || schema === null) return;
            if ('example' in schema && place.at(-1) !== 'properties') {
                count += 1;
                expect(served.faults(place, schema.example), place.join('/')).to.equal('');
            }
            for (const [key, value] of Object.entries(schema)) {
                if (key !== 'example' && key !== 'enum') walk(value as Record<string, unknown>, [...place, key]);
            }
        };
        walk(served.document.components.schemas, ['components', 'schemas']);
        expect(count).to.be.above(50);
    });

    it('are there for every body and success but those that nobody can read', () => {
        const isUnreadable = (type: string) => /^image\/|^application\/octet-stream$|^\*\/\*$/.test(type);
        for (const { name, operation } of served.operations) {
            const contents = [operation.requestBody?.content, successOf(operation)];
            const shown = contents.flatMap((content) => Object.entries<Content>(content ?? {}));
            for (const [type, { example, schema }] of shown) {
                const { $ref = '', format } = schema;
                const component = served.document.components.schemas[$ref.split('/').at(-1) ?? ''];
                if (isUnreadable(type)) expect(format, name).to.equal('binary');
                else expect(example ?? component?.example, `${name} ${type}`).to.exist();
            }
        }
    });

    it('of event streams are events with an id each and JSON in them', () => {
        for (const { name, path, operation } of served.operations) {
            const stream = operation.responses['200']?.content?.['text/event-stream'];
            if (stream === undefined) continue;
            const events: EventSourceMessage[] = [];
            createParser({ onEvent: (event) => void events.push(event) }).feed(String(stream.example));
            expect(events.length, name).to.be.above(1);
            const isOpenAi = path.startsWith('/v1/');
            if (isOpenAi) expect(events.pop()?.data).to.equal('[DONE]');
            for (const { id, event, data } of events) {
                expect(JSON.parse(data), name).to.be.an.object();
                if (!isOpenAi) expect([id, event], name).to.not.include([undefined, '']);
            }
        }
    });
});
