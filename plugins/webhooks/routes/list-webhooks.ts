import { describeRoute } from '../../../src/http/describe-route.ts';
import { publicWebhook } from '../public-webhook.ts';
import { webhookExample, webhookQuery, webhooksAnswer } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { PageParams } from '../../../src/http/pagination.ts';
import type { Webhooks } from '../service.ts';

export const listWebhooks = (webhooks: Webhooks): ServerRoute<{ Query: PageParams }> => ({
    method: 'GET',
    path: '/api/webhooks',
    options: {
        ...describeRoute('List the webhooks of the tenant', {
            tag: 'webhooks',
            answer: webhooksAnswer,
            example: { webhooks: [webhookExample] },
            isPage: true,
            errors: ['INVALID_CURSOR'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'webhook:read' } },
        validate: { query: webhookQuery },
    },
    handler: async ({ auth, query: { order: direction, ...query } }) => {
        const page = await webhooks.list(auth.credentials.actor, { ...query, direction, order: 'created' });
        return { webhooks: page.items.map(publicWebhook), pagination: page.pagination };
    },
});
