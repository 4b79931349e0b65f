import { describeRoute } from '../../../src/http/describe-route.ts';
import { etagOf } from '../../../src/http/if-match.ts';
import { publicWebhook } from '../public-webhook.ts';
import { rotateSecretPayload, secretExample, webhookExample, webhookParams, webhookSecretAnswer } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { RotateSecret, WebhookParams } from '../schemas.ts';
import type { Webhooks } from '../service.ts';

const rotated = { ...webhookExample, previousSecretExpiresAt: '2026-11-20T11:30:00.000Z', revision: 2 };

export const rotateSecret = (webhooks: Webhooks): ServerRoute<{ Params: WebhookParams; Payload: RotateSecret }> => ({
    method: 'POST',
    path: '/api/webhooks/{webhookId}/rotate-secret',
    options: {
        ...describeRoute('Give a webhook a new secret', {
            tag: 'webhooks',
            notes: 'The new secret is shown only in this answer; the old one signs beside it for `graceSeconds` more.',
            answer: webhookSecretAnswer,
            example: { webhook: rotated, secret: secretExample },
            errors: ['WEBHOOK_NOT_FOUND', 'REVISION_MISMATCH'],
            rateLimit: { limit: 20, window: 60 },
            idempotent: true,
        }),
        auth: { access: { scope: 'webhook:write' } },
        validate: { params: webhookParams, payload: rotateSecretPayload },
    },
    handler: async ({ auth, params, payload }, h) => {
        const { actor } = auth.credentials;
        const { webhook, secret } = await webhooks.rotateSecret(actor, params.webhookId, payload.graceSeconds);
        return h.response({ webhook: publicWebhook(webhook), secret }).etag(etagOf(webhook));
    },
});
