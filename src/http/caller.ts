import type { Request } from '@hapi/hapi';
import type { Caller } from '../types/actor.ts';

const MAX_USER_AGENT = 256;

/** Where the request comes from, for audit entries and limits. */
export const callerOf = (request: Pick<Request, 'app' | 'headers'>): Caller => ({
    requestId: request.app.requestId,
    ipAddress: request.app.client.ipAddress,
    userAgent: userAgent(request.headers['user-agent']),
});

const userAgent = (header: unknown): string => (typeof header === 'string' ? header.slice(0, MAX_USER_AGENT) : '');
