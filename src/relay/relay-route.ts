import { Readable } from 'node:stream';

import Joi from 'joi';

import { withHeader } from './headers.ts';
import { watchBody } from './watch-body.ts';
import { WholeBody } from './whole-body.ts';
import { readRequest } from './wire-request.ts';
import { clientGone } from '../http/client-gone.ts';
import { describeRoute } from '../http/describe-route.ts';
import { apiError, type ErrorCode } from '../http/errors.ts';
import { idSchema, type IdPrefix } from '../ids.ts';

import type { ServerResponse } from 'node:http';
import type { ResponseObject, ResponseToolkit, RouteOptionsAccess, ServerRoute } from '@hapi/hapi';
import type { RelayAnswer, RelayRequest } from './types.ts';
import type { Actor } from '../types/actor.ts';

type RelayParams = Record<string, string>;

/** A route that sends requests on, with whatever method, to what a record stands for. */
export interface RelayRoute {
    summary: string;
    /** `/api/<records>/{<param>}/http/…`; also the tag. */
    records: 'tunnels' | 'proxies';
    /** Names the record in the path. */
    param: string;
    idPrefix: IdPrefix;
    auth: RouteOptionsAccess & { strategy?: string };
    errors: ErrorCode[];
    relay: (actor: Actor, id: string, request: RelayRequest) => Promise<RelayAnswer>;
}

/** Request and answer are streamed, and neither is touched but for headers that are not to go on. */
export function relayRoute({ summary, records, param, idPrefix, auth, errors, relay }: RelayRoute) {
    // As it stands on the wire, in any of its forms; what follows is the service's.
    const prefix = new RegExp(String.raw`^(?:https?://[^/?#]*)?/api/(?:v1/)?${records}/[^/?#]+/http`);
    const route: ServerRoute<{ Params: RelayParams }> = {
        method: '*',
        path: `/api/${records}/{${param}}/http/{path*}`,
        options: {
            ...describeRoute(summary, {
                tag: records,
                notes: 'The request as it is, with whatever method, path and query follow, and the answer of the service.',
                takesBinary: ['*/*'],
                answersBinary: ['*/*'],
                errors: ['MALFORMED_REQUEST', ...errors],
            }),
            auth,
            validate: {
                params: Joi.object<RelayParams>({
                    [param]: idSchema(idPrefix).required(),
                    path: Joi.string().allow('').description('from here on the path of the service, with its slashes'),
                }),
            },
            // What goes through is the service's business, however long it is and takes.
            payload: {
                output: 'stream',
                parse: false,
                maxBytes: Number.MAX_SAFE_INTEGER,
                timeout: false,
                // Any type is allowed, and there is no other way to say so.
                override: 'application/json',
            },
            timeout: { server: false, socket: false },
            response: { ranges: false },
        },
        handler: async (request, h) => {
            const { head, body } = readRequest(request.raw.req, pathOf(prefix, request.raw.req.url));
            // By the id that our log knows it by the service's log can know it too.
            const headers = withHeader(head.headers, 'x-request-id', request.app.requestId);
            const answer = await relay(request.auth.credentials.actor, request.params[param] ?? '', {
                head: { ...head, headers },
                body,
                gone: clientGone(request),
            });
            // A compressor would keep a piece back until the next one comes.
            Object.assign(request.info, { acceptEncoding: 'identity' });
            return respond(h, answer, payloadOf(answer.body, request.raw.res));
        },
    };
    return route;
}

/** Not from the path that was matched: that has been decoded and tidied, and what was sent counts. */
function pathOf(prefix: RegExp, url = ''): string {
    const found = prefix.exec(url)?.[0];
    if (found === undefined) throw apiError('MALFORMED_REQUEST');
    const path = url.slice(found.length);
    return path.startsWith('/') ? path : `/${path}`;
}

/** The body, whose head goes out by itself where the first piece takes its time: hapi would keep it for that. */
function afterHead(body: AsyncIterable<Uint8Array>, response: ServerResponse): AsyncIterable<Uint8Array> {
    let isFirst = true;
    let waiting: NodeJS.Immediate | undefined;
    // As it is: `flushHeaders` would write it in UTF-8.
    const send = () => void (response.headersSent && !response.destroyed && response.write('', 'latin1'));
    const done = () => clearImmediate(waiting);
    const onWait = () => {
        if (isFirst) waiting = setImmediate(send);
        isFirst = false;
    };
    return watchBody(body, { onWait, onChunk: done, onEnd: done });
}

function payloadOf(body: AsyncIterable<Uint8Array>, response: ServerResponse): Buffer | Readable {
    if (body instanceof WholeBody) return Buffer.from(body.bytes.buffer, body.bytes.byteOffset, body.bytes.length);
    return Readable.from(afterHead(body, response), { objectMode: false, highWaterMark: 1 });
}

function respond(
    h: Pick<ResponseToolkit, 'response'>,
    { status, headers }: RelayAnswer,
    payload: Buffer | Readable,
): ResponseObject {
    const answer = h.response(payload).code(status);
    answer.charset('');
    for (const [name, value] of headers) answer.header(name, value, { append: true, separator: ', ' });
    // Somebody's own page on this origin must not act as ours.
    answer.header('content-security-policy', 'sandbox');
    return answer;
}
