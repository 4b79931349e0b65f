import Joi from 'joi';

import { checkDeprecation, describeDeprecation, type Deprecation } from './deprecation.ts';
import { requireKeys } from './require-keys.ts';

import type { RouteOptions, RouteOptionsApp } from '@hapi/hapi';
import type { AnswerForm } from './answer-form.ts';
import type { ErrorCode } from './errors.ts';
import type { RateLimit } from './rate-limit.ts';
import type { ServerSentEvent } from './sse.ts';

/** What a route promises, in the OpenAPI document as on the wire. */
export type RouteDescription = JsonRoute | BinaryRoute;

/** A route that answers with bytes: they go out as they are, without the envelope. */
interface BinaryRoute extends Promises {
    /** The content types it may answer with. */
    answersBinary: string[];
    form?: undefined;
}

interface JsonRoute extends Promises {
    answersBinary?: undefined;
    /** The answer is not in the envelope: `answer` and `example` are the whole of it. */
    form?: AnswerForm;
    /** The schema of `data`; its label names it in the document. Keys that do not say `.optional()` are always there. */
    answer: Joi.ObjectSchema;
    /** An example of `data`. */
    example: object;
}

interface Promises {
    /** The group the route is listed in. */
    tag: string;
    /** The content types of a body that is bytes. */
    takesBinary?: string[];
    /** 200 unless given. */
    status?: number;
    /** The answer is a page: `pagination` stands beside `data`. */
    isPage?: boolean;
    /** With `stream: true` these events, for example, are the answer: it is then not checked against the schema. */
    streamExample?: ServerSentEvent[] | string;
    /** A text that is the answer where the client asks for it, as CSV: not in the envelope, and not checked. */
    textExample?: { type: string; text: string };
    /** Examples of a body or an answer that is bytes, by content type, where they can be read. */
    byteExamples?: Record<string, string>;
    /** What a client should know besides the summary, in Markdown. */
    notes?: string;
    /** What the route itself fails with; what follows from its other options is added in the document. */
    errors?: ErrorCode[];
    /** The route is to be withdrawn: answers say so, and the document. */
    deprecated?: Deprecation;
    /** The route asks for no credential. */
    isPublic?: boolean;
    /** It calls a model or hashes a password: the first to be refused when the server is busy. */
    isExpensive?: true;
    /** It stores what was not there before: refused while Redis is nearly full. Of a POST or a PUT. */
    grows?: true;
    /** Of the user where the route needs one, of the IP address elsewhere. */
    rateLimit?: RateLimit;
    /** Not counted against the quota of the month, so that it tells of it when it is used up. All rates hold. */
    isQuotaFree?: boolean;
    /** Admitted while the tenant is being restored, for watching that. */
    whileRestoring?: true;
    /** Public, and served in maintenance too, or it looks itself at whose request it is. Those outside of the API are. */
    inMaintenance?: true;
    /**
     * Of a POST that creates, charges or sends: with an Idempotency-Key it is done once and answered alike each time. A
     * `required` one is refused without. A `shared` one takes care of that itself, in its handler, by
     * `server.plugins.idempotency.share`.
     */
    idempotent?: true | 'required' | 'shared';
}

/** What stands in every answer of an example. */
export const exampleStamp = { timestamp: '2026-11-20T10:30:00.000Z', requestId: 'req_01K9ZQ4V7N8M3T5R2W6X1Y0ABC' };

const paginationSchema = Joi.object({
    cursor: Joi.string().allow(null).description('leads to the next page'),
    limit: Joi.number().integer(),
    hasMore: Joi.boolean(),
    totalCount: Joi.number().integer().optional(),
}).label('Pagination');

const requiredPagination = () => requireKeys(paginationSchema).required();
const paginationExample = { cursor: null, limit: 20, hasMore: false, totalCount: 1 };

/**
 * The part of a route's options that tells of it: summary, success with an example and errors for the OpenAPI document,
 * the status for the envelope, and the schema that answers are checked against.
 */
export function describeRoute(summary: string, description: RouteDescription) {
    const { tag, status = 200, errors = [], deprecated } = description;
    const notes = notesOf(description);
    if (deprecated) checkDeprecation(deprecated);
    if (description.idempotent && description.isPublic) throw new Error('An Idempotency-Key belongs to a user');
    if (!description.answersBinary) checkLabel(description.answer);
    return {
        description: summary,
        ...(notes !== undefined && { notes }),
        tags: ['api', tag],
        app: { status, errors, ...behaviourOf(description) },
        ...checkedAnswer(description),
        plugins: {
            'hapi-swagger': {
                ...describeAccess(description),
                // Made for the document: few processes ever write it, and building schemas takes time and memory.
                get responses() {
                    return { [status]: describeSuccess(description) };
                },
            },
        },
    } satisfies RouteOptions;
}

function notesOf({ notes, deprecated }: RouteDescription): string | undefined {
    if (!deprecated) return notes;
    return [describeDeprecation(deprecated), ...(notes === undefined ? [] : [notes])].join('\n\n');
}

const BEHAVIOUR = [
    'rateLimit',
    'isQuotaFree',
    'whileRestoring',
    'inMaintenance',
    'isExpensive',
    'grows',
    'idempotent',
    'streamExample',
    'textExample',
    'takesBinary',
    'answersBinary',
    'byteExamples',
    'deprecated',
    'form',
] as const;

/** What is asked of a route while a request goes through it. */
function behaviourOf(description: RouteDescription): RouteOptionsApp {
    return Object.fromEntries(BEHAVIOUR.flatMap((name) => (description[name] ? [[name, description[name]]] : [])));
}

/** Event streams and bytes are not checked. The schema is made for the first answer that is: in production few are. */
function checkedAnswer(description: RouteDescription) {
    if (description.streamExample || description.answersBinary) return {};
    const { status = 200 } = description;
    let schema: Joi.Schema | undefined;
    const check = (answer: unknown): unknown => {
        schema ??= answerSchema(description);
        const { error } = schema.validate(answer);
        // Joi's own error has the answer in it, in a place that the log does not know.
        if (error) throw new Error(error.message);
        return answer;
    };
    // hapi-swagger takes no function here.
    const checked = Joi.any().custom(check).messages({ 'any.custom': '{#error.message}' });
    return { response: { status: { [status]: checked.meta({ swaggerHidden: true }) } } };
}

/** What a handler gives: the data, with `pagination` in it where the answer is a page. The document shows the envelope. */
function answerSchema({ answer, isPage, textExample }: JsonRoute): Joi.Schema {
    const whole = requireKeys(answer);
    const schema = isPage ? whole.keys({ pagination: requiredPagination() }) : whole;
    return textExample ? Joi.alternatives(schema, Joi.string()) : schema;
}

const describeAccess = ({ isPublic, rateLimit, deprecated }: RouteDescription) => ({
    ...(deprecated && { deprecated: true }),
    ...(isPublic && { security: [] }),
    ...(rateLimit && {
        'x-rate-limit': { limit: rateLimit.limit, window: rateLimit.window, per: isPublic ? 'ip' : 'user' },
    }),
});

/** The whole envelope, with the example as the schema's meta. */
function describeSuccess(description: RouteDescription) {
    if (description.answersBinary) return { description: 'Success' };
    const { answer, example, isPage = false, form } = description;
    if (form) return { description: 'Success', schema: requireKeys(answer).meta({ examples: example }) };
    const schema = Joi.object({
        success: Joi.boolean().valid(true).required(),
        data: requireKeys(answer).required(),
        ...(isPage && { pagination: requiredPagination() }),
        timestamp: Joi.string().isoDate().required(),
        requestId: Joi.string().required(),
    }).label(`${String(answer.$_getFlag('label'))}Answer`);
    const examples = {
        success: true,
        data: example,
        ...(isPage && { pagination: paginationExample }),
        ...exampleStamp,
    };
    return { description: 'Success', schema: schema.meta({ examples }) };
}

function checkLabel(schema: Joi.ObjectSchema): void {
    if (typeof schema.$_getFlag('label') !== 'string') throw new Error('The schema of an answer needs a label');
}
