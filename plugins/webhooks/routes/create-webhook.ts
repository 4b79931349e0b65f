import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { publicWebhook } from '../public-webhook.ts';
import { createWebhookPayload, secretExample, webhookExample, webhookSecretAnswer } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { CreateWebhook } from '../schemas.ts';
import type { Webhooks } from '../service.ts';

const NOTES = `From now on each event that its filter lets through is sent to it by POST, signed as
[Standard Webhooks](https://www.standardwebhooks.com) says with the \`secret\` that only this answer shows. An answer of
2xx is a success; anything else is tried again after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h and 10 h. A receiver may see an
event more than once and should look at \`webhook-id\`. A webhook is sent 60 a minute, 1,000 an hour and 10,000 a day;
what is more waits. It is disabled when its receiver answers 410, or when nothing succeeds for 120 hours.`;

export const createWebhook = (webhooks: Webhooks): ServerRoute<{ Payload: CreateWebhook }> => ({
    method: 'POST',
    path: '/api/webhooks',
    options: {
        ...describeRoute('Create a webhook', {
            tag: 'webhooks',
            notes: NOTES,
            answer: webhookSecretAnswer,
            example: { webhook: webhookExample, secret: secretExample },
            status: 201,
            errors: ['WEBHOOK_URL_REFUSED', 'WEBHOOK_LIMIT_REACHED'],
            grows: true,
            rateLimit: { limit: 20, window: 60 },
            idempotent: true,
        }),
        auth: { access: { scope: 'webhook:write' } },
        validate: { payload: createWebhookPayload },
    },
    handler: async ({ auth, payload }, h) => {
        const { webhook, secret } = await webhooks.create(auth.credentials.actor, payload);
        return h.response({ webhook: publicWebhook(webhook), secret }).etag(etagOf(webhook));
    },
});
