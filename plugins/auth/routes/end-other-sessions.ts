import { describeRoute } from '../../../src/http/describe-route.ts';
import { endedAnswer } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { SessionService } from '../session-service.ts';

export const endOtherSessions = (sessions: SessionService): ServerRoute => ({
    method: 'DELETE',
    path: '/api/auth/sessions',
    options: describeRoute('End all your other sessions', {
        tag: 'auth',
        notes: 'All but the one that asks. Their tokens are refused from now on.',
        answer: endedAnswer,
        example: { endedSessions: 2 },
    }),
    handler: async ({ auth }) => ({ endedSessions: await sessions.endOthers(auth.credentials.actor) }),
});
