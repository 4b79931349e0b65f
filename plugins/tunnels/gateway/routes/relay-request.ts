import { Readable } from 'node:stream';

import Joi from 'joi';

import { clientGone } from '../../../../src/http/client-gone.ts';
import { describeRoute } from '../../../../src/http/describe-route.ts';
import { apiError } from '../../../../src/http/errors.ts';
import { idSchema } from '../../../../src/ids.ts';
import { readRequest } from '../wire-request.ts';

import type { ResponseObject, ResponseToolkit, ServerRoute } from '@hapi/hapi';
import type { LinkResponse } from '../../link/types.ts';
import type { RelayService } from '../relay-service.ts';

interface RelayParams {
    tunnelId: string;
}

/** The path of the route as it stands on the wire, in any of its forms; what follows is the service's. */
const PREFIX = /^(?:https?:\/\/[^/?#]*)?\/api\/(?:v1\/)?tunnels\/[^/?#]+\/http/;

export const relayRequest = (relays: RelayService): ServerRoute<{ Params: RelayParams }> => ({
    method: '*',
    path: '/api/tunnels/{tunnelId}/http/{path*}',
    options: {
        ...describeRoute('Send a request through a tunnel', {
            tag: 'tunnels',
            answersBinary: ['*/*'],
            errors: [
                'TUNNEL_NOT_FOUND',
                'MALFORMED_REQUEST',
                'QUOTA_EXCEEDED',
                'TUNNEL_OFFLINE',
                'TUNNEL_BUSY',
                'TUNNEL_TIMEOUT',
                'TUNNEL_ERROR',
            ],
        }),
        auth: { access: { scope: 'tunnel:read' } },
        validate: { params: Joi.object<RelayParams>({ tunnelId: idSchema('tun').required() }).unknown() },
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
        const path = pathOf(request.raw.req.url);
        const answer = await relays.relay(request.auth.credentials.actor, request.params.tunnelId, {
            ...readRequest(request.raw.req, path),
            gone: clientGone(request),
        });
        // A compressor would keep a piece back until the next one comes.
        Object.assign(request.info, { acceptEncoding: 'identity' });
        return respond(h, answer);
    },
});

/** Not from the path that was matched: that has been decoded and tidied, and what was sent counts. */
function pathOf(url = ''): string {
    const prefix = PREFIX.exec(url)?.[0];
    if (prefix === undefined) throw apiError('MALFORMED_REQUEST');
    const path = url.slice(prefix.length);
    return path.startsWith('/') ? path : `/${path}`;
}

function respond(h: Pick<ResponseToolkit, 'response'>, { status, headers, body }: LinkResponse): ResponseObject {
    const answer = h.response(Readable.from(body, { objectMode: false, highWaterMark: 1 })).code(status);
    answer.charset('');
    for (const [name, value] of headers) answer.header(name, value, { append: true, separator: ', ' });
    // Somebody's own page on this origin must not act as ours.
    answer.header('content-security-policy', 'sandbox');
    return answer;
}
