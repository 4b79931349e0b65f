import { nameOf, type Schema } from '../../plugins/docs/openapi.ts';

/** The type that a schema of the document means, as TypeScript. */
export function typeOf(schema: Schema): string {
    const type = schema.$ref === undefined ? plainType(schema) : nameOf(schema.$ref);
    return schema.nullable && !type.split(' | ').includes('null') ? `${type} | null` : type;
}

function plainType(schema: Schema): string {
    if (schema.anyOf) return [...new Set(schema.anyOf.map(typeOf))].join(' | ');
    if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
    switch (schema.type) {
        case 'array':
            return `(${typeOf(schema.items ?? {})})[]`;
        case 'object':
            return objectType(schema);
        case 'integer':
        case 'number':
            return 'number';
        case 'string':
            return schema.format === 'binary' ? 'Bytes' : 'string';
        case 'boolean':
            return 'boolean';
        default:
            return 'unknown';
    }
}

function objectType({ properties, additionalProperties, required = [] }: Schema): string {
    if (!properties) {
        return `Record<string, ${typeof additionalProperties === 'object' ? typeOf(additionalProperties) : 'unknown'}>`;
    }
    const fields = Object.entries(properties).map(([name, property]) => {
        return `${comment(property.description)}${field(name, required.includes(name), typeOf(property))}`;
    });
    return `{\n${fields.join('')}}`;
}

/** A property of a type. */
export const field = (name: string, isRequired: boolean, type: string): string =>
    `${/^\w+$/.test(name) ? name : JSON.stringify(name)}${isRequired ? '' : '?'}: ${type};\n`;

/** A comment in front of it. */
export const comment = (text: unknown): string =>
    typeof text === 'string' ? `/** ${text.replaceAll('*/', '*\\/').replaceAll('\n', ' ')} */\n` : '';
