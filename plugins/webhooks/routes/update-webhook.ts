import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf, ifMatchHeaders, revisionOf } from '../../../src/http/if-match.ts';
import { publicWebhook } from '../public-webhook.ts';
import { updateWebhookPayload, webhookAnswer, webhookExample, webhookParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { UpdateWebhook, WebhookParams } from '../schemas.ts';
import type { Webhooks } from '../service.ts';

const NOTES = `What waits for its delivery is sent as it was made, to the URL as it is at that time. While a webhook is
not active, it gets no deliveries, and those that come due are cancelled; see \`POST …/replay\` for what it has missed.`;

export const updateWebhook = (webhooks: Webhooks): ServerRoute<{ Params: WebhookParams; Payload: UpdateWebhook }> => ({
    method: 'PATCH',
    path: '/api/webhooks/{webhookId}',
    options: {
        ...describeRoute('Change a webhook', {
            tag: 'webhooks',
            notes: NOTES,
            answer: webhookAnswer,
            example: { webhook: { ...webhookExample, revision: 2 } },
            errors: ['WEBHOOK_NOT_FOUND', 'WEBHOOK_URL_REFUSED', 'REVISION_MISMATCH'],
            rateLimit: { limit: 20, window: 60 },
        }),
        auth: { access: { scope: 'webhook:write' } },
        validate: { params: webhookParams, payload: updateWebhookPayload, headers: ifMatchHeaders },
    },
    handler: async ({ auth, params, payload, headers }, h) => {
        const { actor } = auth.credentials;
        const webhook = await webhooks.update(actor, params.webhookId, payload, revisionOf(headers));
        return h.response({ webhook: publicWebhook(webhook) }).etag(etagOf(webhook));
    },
});
