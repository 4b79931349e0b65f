import { newId } from '../ids.ts';

import type { Lifecycle } from '@hapi/hapi';

const ACCEPTED = /^[A-Za-z0-9_-]{8,64}$/;

/** Takes the client's X-Request-Id where it is well-formed and makes one otherwise. */
export const assignRequestId: Lifecycle.Method = (request, h) => {
    const given: unknown = request.headers['x-request-id'];
    request.app.requestId = typeof given === 'string' && ACCEPTED.test(given) ? given : newId('req');
    return h.continue;
};
