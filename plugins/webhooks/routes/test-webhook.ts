import { describeRoute } from '../../../src/http/describe-route.ts';
import { attemptAnswer, attemptExample } from '../delivery-schemas.ts';
import { webhookParams, type WebhookParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Webhooks } from '../service.ts';

const NOTES = `An event \`webhook.test\` is sent at once, whatever its filter, also while it is disabled; the answer
tells what came of it. It is no delivery: it is not tried again, and a failure counts for nothing.`;

export const testWebhook = (webhooks: Webhooks): ServerRoute<{ Params: WebhookParams }> => ({
    method: 'POST',
    path: '/api/webhooks/{webhookId}/test',
    options: {
        ...describeRoute('Try a webhook', {
            tag: 'webhooks',
            notes: NOTES,
            answer: attemptAnswer,
            example: { attempt: attemptExample },
            errors: ['WEBHOOK_NOT_FOUND'],
            grows: true,
            rateLimit: { limit: 10, window: 60 },
            idempotent: true,
        }),
        auth: { access: { scope: 'webhook:write' } },
        validate: { params: webhookParams },
    },
    handler: async ({ auth, params }) => ({
        attempt: await webhooks.test(auth.credentials.actor, params.webhookId),
    }),
});
