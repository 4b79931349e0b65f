import type { Request } from '@hapi/hapi';
import type { Caller } from '../types/actor.ts';

/** Where the request comes from, for audit entries and limits. */
export const callerOf = (request: Pick<Request, 'app' | 'info' | 'headers'>): Caller => ({
    requestId: request.app.requestId,
    ipAddress: request.info.remoteAddress,
    userAgent: String(request.headers['user-agent'] ?? '').slice(0, 256),
});
