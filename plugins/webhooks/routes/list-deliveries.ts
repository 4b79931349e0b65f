import { describeRoute } from '../../../src/http/describe-route.ts';
import { deliveriesAnswer, deliveryExample, deliveryQuery } from '../delivery-schemas.ts';
import { webhookParams, type WebhookParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { DeliveryQuery } from '../delivery-schemas.ts';
import type { Deliveries } from '../delivery-service.ts';

const NOTES = `By the time of their events, newest first. A page may be shorter than its limit though there are more:
\`hasMore\` says so. They are kept for 7 days after their end, 2,000 of a webhook at most.`;

export const listDeliveries = (
    deliveries: Deliveries,
): ServerRoute<{ Params: WebhookParams; Query: DeliveryQuery }> => ({
    method: 'GET',
    path: '/api/webhooks/{webhookId}/deliveries',
    options: {
        ...describeRoute('List the deliveries of a webhook', {
            tag: 'webhooks',
            notes: NOTES,
            answer: deliveriesAnswer,
            example: { deliveries: [deliveryExample] },
            isPage: true,
            errors: ['WEBHOOK_NOT_FOUND', 'INVALID_CURSOR'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'webhook:read' } },
        validate: { params: webhookParams, query: deliveryQuery },
    },
    handler: async ({ auth, params, query: { order: direction, ...query } }) => {
        const page = await deliveries.list(auth.credentials.actor, params.webhookId, { ...query, direction });
        return { deliveries: page.items, pagination: page.pagination };
    },
});
