import { ERROR_CONTENTS, type Logger } from './logger.ts';

import type { ServerResponse } from 'node:http';
import type { Request } from '@hapi/hapi';

/**
 * Hapi-pino's options: one line per request, with its ids and without headers, bodies or query strings. What stands in
 * such a line is known, so it is spared the search for secrets by name that other lines go through.
 */
export const requestLog = (logger: Logger) => ({
    instance: logger.child({}, { redact: ERROR_CONTENTS }),
    logEvents: ['response'],
    // Broken connections are told of as such. The library's types are not what it reads.
    ignoredEventTags: { log: ['client'] } as unknown as object[],
    wrapSerializers: false,
    serializers: { res: ({ statusCode }: ServerResponse) => ({ statusCode }) },
    getChildBindings: ({ app, method, path }: Request) => ({
        requestId: app.requestId,
        module: 'http',
        method,
        path,
        ipAddress: app.client.ipAddress,
    }),
});
