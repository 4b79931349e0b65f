import { describeRoute } from '../../../src/http/describe-route.ts';
import { ifMatchHeaders, revisionOf } from '../../../src/http/if-match.ts';
import { deletedWebhookAnswer, webhookExample, webhookParams, type WebhookParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Webhooks } from '../service.ts';

export const deleteWebhook = (webhooks: Webhooks): ServerRoute<{ Params: WebhookParams }> => ({
    method: 'DELETE',
    path: '/api/webhooks/{webhookId}',
    options: {
        ...describeRoute('Delete a webhook with its deliveries', {
            tag: 'webhooks',
            answer: deletedWebhookAnswer,
            example: { webhook: { id: webhookExample.id } },
            errors: ['WEBHOOK_NOT_FOUND', 'REVISION_MISMATCH'],
            rateLimit: { limit: 20, window: 60 },
        }),
        auth: { access: { scope: 'webhook:write' } },
        validate: { params: webhookParams, headers: ifMatchHeaders },
    },
    handler: async ({ auth, params: { webhookId: id }, headers }) => {
        await webhooks.delete(auth.credentials.actor, id, revisionOf(headers));
        return { webhook: { id } };
    },
});
