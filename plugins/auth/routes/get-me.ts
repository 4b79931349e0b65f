import { describeRoute } from '../../../src/http/describe-route.ts';
import { meAnswer, meExample } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { AuthService } from '../service.ts';

export const getMe = (service: AuthService): ServerRoute => ({
    method: 'GET',
    path: '/api/auth/me',
    options: describeRoute('Who am I', { tag: 'auth', answer: meAnswer, example: meExample }),
    handler: ({ auth }) => service.me(auth.credentials.actor),
});
