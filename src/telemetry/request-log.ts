import type { ServerResponse } from 'node:http';
import type { Request } from '@hapi/hapi';
import type { Logger } from './logger.ts';

/** Hapi-pino's options: one line per request, with its ids and without headers, bodies or query strings. */
export const requestLog = (logger: Logger) => ({
    instance: logger,
    logEvents: ['response'],
    wrapSerializers: false,
    serializers: { res: ({ statusCode }: ServerResponse) => ({ statusCode }) },
    getChildBindings: ({ app, method, path, info }: Request) => ({
        requestId: app.requestId,
        module: 'http',
        method,
        path,
        ipAddress: info.remoteAddress,
    }),
});
