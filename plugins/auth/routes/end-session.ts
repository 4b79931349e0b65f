import { describeRoute } from '../../../src/http/describe-route.ts';
import { endedAnswer, sessionParams, type SessionParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { SessionService } from '../session-service.ts';

export const endSession = (sessions: SessionService): ServerRoute<{ Params: SessionParams }> => ({
    method: 'DELETE',
    path: '/api/auth/sessions/{sessionId}',
    options: {
        ...describeRoute('End one of your sessions', {
            tag: 'auth',
            notes: 'Its tokens are refused from now on. It may be the session that asks.',
            answer: endedAnswer,
            example: { endedSessions: 1 },
            errors: ['SESSION_NOT_FOUND'],
        }),
        validate: { params: sessionParams },
    },
    handler: async ({ auth, params }) => ({
        endedSessions: await sessions.end(auth.credentials.actor, params.sessionId),
    }),
});
