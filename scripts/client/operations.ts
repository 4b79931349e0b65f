import { comment, field, typeOf } from './types.ts';

import type { MediaType, OpenApiDocument, Operation, Parameter } from '../../plugins/docs/openapi.ts';

type Contents = Record<string, MediaType>;

/** The types of a document: its schemas, the codes of its errors, and `Operations`. */
export function typesOf({ paths, components }: OpenApiDocument): string {
    const schemas = Object.entries(components.schemas).map(([name, schema]) => {
        return `${comment(schema.description)}export type ${name} = ${typeOf(schema)};\n`;
    });
    const codes = Object.keys(components.examples ?? {}).filter((name) => !name.includes('.'));
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, operation]) => {
            return `${comment(summaryOf(operation))}'${method.toUpperCase()} ${path}': ${operationType(operation)};\n`;
        }),
    );
    return [
        "import type { Bytes } from './runtime.ts';\n",
        ...schemas,
        `/** An error of the catalogue; more may be added. */\nexport type ErrorCode = ${codes.map((code) => `'${code}'`).join(' | ')};\n`,
        `/** What the API can be asked. */\nexport interface Operations {\n${operations.join('')}}\n`,
    ].join('\n');
}

const summaryOf = ({ summary, deprecated }: Operation): string =>
    `${String(summary)}.${deprecated === true ? ' @deprecated' : ''}`;

function operationType({ parameters = [], requestBody, responses }: Operation): string {
    const answers = contentsOf(responses);
    const json = answers['application/json'];
    const isJson = json !== undefined && json.schema.format !== 'binary';
    const types = Object.keys(answers).filter((type) => type !== 'text/event-stream');
    return [
        `{ input: {\n${['path', 'query', 'header'].map((place) => partType(parameters, place)).join('')}`,
        requestBody ? field('body', requestBody.required === true, bodyType(requestBody.content)) : '',
        '};\n',
        isJson ? field('answer', true, typeOf(json.schema)) : '',
        'text/event-stream' in answers ? field('streams', true, 'true') : '',
        !isJson || types.length > 1 ? field('bytes', true, 'true') : '',
        '}',
    ].join('');
}

/** Those of the one success that an operation has. */
const contentsOf = (responses: Operation['responses']): Contents =>
    Object.entries(responses).find(([status]) => status < '400')?.[1].content ?? {};

const bodyType = (content: Contents): string =>
    [...new Set(Object.values(content).map(({ schema }) => typeOf(schema)))].join(' | ');

/** The parameters of one place, in an object that may be left out where each of them may be. */
function partType(parameters: Parameter[], place: string): string {
    const here = parameters.filter((parameter) => parameter.in === place);
    if (here.length === 0) return '';
    const fields = here.map(({ name = '', required = false, schema }) => field(name, required, typeOf(schema)));
    const isRequired = here.some(({ required }) => required);
    return field(place === 'header' ? 'headers' : place, isRequired, `{\n${fields.join('')}}`);
}
