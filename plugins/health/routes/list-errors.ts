import { describeRoute } from '../../../src/http/describe-route.ts';
import { catalogue } from '../../../src/http/errors.ts';
import { errorsAnswer, errorsExample } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';

const errors = Object.entries(catalogue).map(([code, entry]) => ({ code, ...entry }));

export const listErrors = (): ServerRoute => ({
    method: 'GET',
    path: '/api/errors',
    options: {
        ...describeRoute('List the error codes', {
            tag: 'health',
            answer: errorsAnswer,
            example: errorsExample,
            errors: ['RATE_LIMITED'],
            isPublic: true,
            inMaintenance: true,
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: false,
    },
    handler: () => ({ errors }),
});
