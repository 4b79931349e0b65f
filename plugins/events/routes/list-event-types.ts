import { eventTypes } from '../../../src/events/catalogue.ts';
import { describeRoute } from '../../../src/http/describe-route.ts';
import { typesAnswer, typesExample } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';

const types = Object.entries(eventTypes).map(([type, entry]) => ({ type, ...entry }));

export const listEventTypes = (): ServerRoute => ({
    method: 'GET',
    path: '/api/events/types',
    options: {
        ...describeRoute('List the types of events', {
            tag: 'events',
            answer: typesAnswer,
            example: typesExample,
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'event:read' } },
    },
    handler: () => ({ types }),
});
