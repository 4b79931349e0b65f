import { describeRoute } from '../../../src/http/describe-route.ts';
import { replayAnswer, replayPayload, type ReplayPayload } from '../delivery-schemas.ts';
import { webhookParams, type WebhookParams } from '../schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { Deliveries } from '../delivery-service.ts';

const NOTES = `The events since then that its filter lets through, oldest first, a thousand at most out of 20,000 that
happened: also those that were delivered, and those that it was not there for yet. With \`nextSince\` in the answer there
may be more.`;

export const replayWebhook = (
    deliveries: Deliveries,
): ServerRoute<{ Params: WebhookParams; Payload: ReplayPayload }> => ({
    method: 'POST',
    path: '/api/webhooks/{webhookId}/replay',
    options: {
        ...describeRoute('Send what has happened again', {
            tag: 'webhooks',
            notes: NOTES,
            answer: replayAnswer,
            example: { replay: { count: 42, nextSince: null } },
            status: 202,
            errors: ['WEBHOOK_NOT_FOUND', 'WEBHOOK_DISABLED'],
            grows: true,
            rateLimit: { limit: 5, window: 60 },
            idempotent: true,
        }),
        auth: { access: { scope: 'webhook:write' } },
        validate: { params: webhookParams, payload: replayPayload },
    },
    handler: async ({ auth, params, payload }) => ({
        replay: await deliveries.replay(auth.credentials.actor, params.webhookId, payload.since),
    }),
});
