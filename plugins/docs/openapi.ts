/** The part of OpenAPI 3.0 (https://spec.openapis.org/oas/v3.0.3) that the document is made of. */
export interface OpenApiDocument {
    openapi: string;
    servers: { url: string }[];
    paths: Record<string, Record<string, Operation>>;
    components: { schemas: Record<string, Schema>; [section: string]: Record<string, unknown> };
    [field: string]: unknown;
}

export interface Operation {
    parameters?: Parameter[];
    requestBody?: { required?: boolean; content: Record<string, MediaType> };
    responses: Record<string, Response>;
    security?: object[];
    [field: string]: unknown;
}

export interface Parameter {
    name?: string;
    in?: string;
    required?: boolean;
    schema: Schema;
    example?: unknown;
}

export interface Response {
    description: string;
    headers?: Record<string, Reference>;
    content: Record<string, MediaType>;
}

export interface MediaType {
    schema: Schema;
    example?: unknown;
    examples?: Record<string, Reference>;
}

export interface Reference {
    $ref: string;
}

export interface Schema {
    $ref?: string;
    type?: string;
    format?: string;
    nullable?: boolean;
    enum?: unknown[];
    items?: Schema;
    anyOf?: Schema[];
    properties?: Record<string, Schema>;
    required?: string[];
    additionalProperties?: Schema | boolean;
    [keyword: string]: unknown;
}

/** The name at the end of a reference. */
export const nameOf = ($ref: string): string => decodeURIComponent($ref.slice($ref.lastIndexOf('/') + 1));

/** The object with each value put through the function. */
export const mapValues = <T, U>(object: Record<string, T>, change: (value: T) => U): Record<string, U> =>
    Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
