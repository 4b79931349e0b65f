import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../helpers/app.ts';
import { refsOf, servedDocument, type ServedDocument } from '../../helpers/openapi.ts';

import type { RequestRoute } from '@hapi/hapi';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

/** What the document says itself, without a Joi schema. */
const OF_ITS_OWN = ['Error', 'ErrorAnswer', 'OpenAiError'];

describe('The schemas of /openapi.json', () => {
    let app: TestApp;
    let served: ServedDocument;
    // oxlint-disable-next-line typescript/no-explicit-any -- a test says what it expects of the document
    let schemas: any;

    before(async () => {
        app = await startApp();
        served = await servedDocument(app);
        ({ schemas } = served.document.components);
    });

    after(() => app.stop());

    it('are named by the labels of the Joi schemas', () => {
        const labels = new Set(app.server.table().flatMap(labelsOf));
        const names = Object.keys(schemas).filter((name) => !OF_ITS_OWN.includes(name));
        expect(names.filter((name) => !labels.has(name))).to.equal([]);
    });

    it('are each used', () => {
        const used = new Set(refsOf(served.document));
        expect(Object.keys(schemas).filter((name) => !used.has(`#/components/schemas/${name}`))).to.equal([]);
    });

    it('say where null may stand', () => {
        const { Tenant, Thread, LastMessage, Model, Usage } = schemas;
        expect(Tenant.properties.suspendedReason).to.equal({ type: 'string', nullable: true });
        expect(Thread.properties.title).to.equal({ type: 'string', nullable: true });
        expect([LastMessage.nullable, Usage.nullable]).to.equal([true, true]);
        const enums = ['claude', 'openai', 'google', null];
        expect(Model.properties.apiKeyRequired).to.equal({ type: 'string', nullable: true, enum: enums });
        expect(Thread.properties.id).to.equal({ type: 'string' });
    });

    it('tell a field of an alternative from others of its name', () => {
        const { CompletionPart, CompletionChosenTool } = schemas;
        expect(CompletionPart.properties.type.enum).to.equal(['text', 'image_url', 'refusal']);
        expect(CompletionChosenTool.properties.type.enum).to.equal(['function']);
    });

    it('show maps as such', () => {
        const { models } = schemas.Thread.properties;
        expect(models).to.include({ type: 'object' });
        expect(models.properties).to.be.undefined();
        expect(models.additionalProperties.properties).to.only.include(['messageCount', 'lastMessageAt']);
        expect(schemas.Services.properties.externalApis.additionalProperties).to.equal({ type: 'string' });
    });

    it('show lists with what is in them', () => {
        expect(schemas.Threads).to.equal({ type: 'array', items: { $ref: '#/components/schemas/Thread' } });
        expect(schemas.Aliases).to.equal({ type: 'array', items: { type: 'string' } });
    });

    it('say what is always there', () => {
        const { Thread, Pagination, SentData, SendMessage, ThreadDataAnswer } = schemas;
        expect(Thread.required).to.only.include(Object.keys(Thread.properties));
        expect(Pagination.required).to.equal(['cursor', 'limit', 'hasMore']);
        expect(SentData.required).to.equal(['userMessage', 'assistantMessage']);
        expect(ThreadDataAnswer.required).to.equal(['success', 'data', 'timestamp', 'requestId']);
        expect(SendMessage.required).to.equal(['content']);
    });

    it('keep what a request is held to', () => {
        const { Register, SendMessage } = schemas;
        expect(Register.properties.password).to.include({ type: 'string', minLength: 8, maxLength: 256 });
        expect(Register.properties.email).to.include({ format: 'email', maxLength: 254 });
        expect(SendMessage.properties.temperature).to.include({ type: 'number', minimum: 0, maximum: 2 });
        expect(SendMessage.properties.stream).to.equal({ type: 'boolean', default: false });
    });

    it("have OpenAPI's formats and none of Joi's own words", () => {
        expect(schemas.Thread.properties.createdAt).to.equal({ type: 'string', format: 'date-time' });
        const words = [...JSON.stringify(served.document).matchAll(/"(x-[a-z-]+)":/g)].map(([, word]) => word);
        expect([...new Set(words)]).to.equal(['x-rate-limit']);
    });
});

/** Every label in the Joi schemas of a route, of requests and answers. */
function labelsOf({ settings }: RequestRoute): string[] {
    const { responses = {} } = (settings.plugins?.['hapi-swagger'] || {}) as { responses?: Record<string, object> };
    const answers = Object.values(responses).map((response) => (response as { schema: unknown }).schema);
    const schemas = [settings.validate?.payload, ...answers] as { describe?: () => object }[];
    const text = JSON.stringify(schemas.map((schema) => schema?.describe?.()));
    return [...text.matchAll(/"label":"(\w+)"/g)].map(([, label = '']) => label);
}
