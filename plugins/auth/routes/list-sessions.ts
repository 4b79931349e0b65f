import { describeRoute } from '../../../src/http/describe-route.ts';
import { sessionsAnswer, sessionsExample } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { SessionService } from '../session-service.ts';

export const listSessions = (sessions: SessionService): ServerRoute => ({
    method: 'GET',
    path: '/api/auth/sessions',
    options: describeRoute('List your sessions', {
        tag: 'auth',
        notes: 'At most 100: those that live longest.',
        answer: sessionsAnswer,
        example: sessionsExample,
    }),
    handler: async ({ auth }) => ({ sessions: await sessions.list(auth.credentials.actor) }),
});
