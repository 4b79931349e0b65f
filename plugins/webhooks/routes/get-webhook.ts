import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { publicWebhook } from '../public-webhook.ts';
import { webhookAnswer, webhookExample, webhookParams, type WebhookParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Webhooks } from '../service.ts';

export const getWebhook = (webhooks: Webhooks): ServerRoute<{ Params: WebhookParams }> => ({
    method: 'GET',
    path: '/api/webhooks/{webhookId}',
    options: {
        ...describeRoute('Get a webhook', {
            tag: 'webhooks',
            answer: webhookAnswer,
            example: { webhook: webhookExample },
            errors: ['WEBHOOK_NOT_FOUND'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'webhook:read' } },
        validate: { params: webhookParams },
    },
    handler: async ({ auth, params }, h) => {
        const webhook = await webhooks.get(auth.credentials.actor, params.webhookId);
        return h.response({ webhook: publicWebhook(webhook) }).etag(etagOf(webhook));
    },
});
