import { Ajv, type ValidateFunction } from 'ajv';

import type { TestApp } from './app.ts';

/** An operation of the document with the place it was found at. */
export interface DocumentedOperation {
    name: string;
    path: string;
    method: string;
    // oxlint-disable-next-line typescript/no-explicit-any -- a test says what it expects of the document
    operation: any;
}

/** The document as a client gets it, and what tests ask of it. */
export interface ServedDocument {
    // oxlint-disable-next-line typescript/no-explicit-any -- a test says what it expects of the document
    document: any;
    operations: DocumentedOperation[];
    /** What is wrong with a value, by the schema at that place in the document; nothing if it fits. */
    faults: (place: string[], value: unknown) => string;
}

export async function servedDocument(app: TestApp): Promise<ServedDocument> {
    const { body: document } = await app.call('GET', '/openapi.json');
    const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
    ajv.addSchema(document, 'openapi');
    // The same schema stands at hundreds of places, and takes milliseconds to compile.
    const compiled = new Map<string, ValidateFunction>();
    const compile = (place: string[]): ValidateFunction => {
        const pointer = place.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')));
        return ajv.getSchema(`openapi#/${pointer.join('/')}`) as ValidateFunction;
    };
    return {
        document,
        operations: operationsOf(document.paths),
        faults: (place, value) => {
            const schema = JSON.stringify(place.reduce((part, name) => part[name], document));
            const validate = compiled.get(schema) ?? compile(place);
            compiled.set(schema, validate);
            return validate(value) === true ? '' : ajv.errorsText(validate.errors);
        },
    };
}

const operationsOf = (paths: Record<string, Record<string, unknown>>): DocumentedOperation[] =>
    Object.entries(paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, path, method, operation })),
    );

/** Every `$ref` of the document, once. */
export function refsOf(document: unknown): string[] {
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref = '']) => ref);
    return [...new Set(refs)];
}

/** What a local `$ref` leads to. */
export const follow = (document: object, ref: string): unknown =>
    ref
        .replace('#/', '')
        .split('/')
        .reduce<unknown>((value, part) => (value as Record<string, unknown> | undefined)?.[part], document);
