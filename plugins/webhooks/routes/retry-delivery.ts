import { describeRoute } from '../../../src/http/describe-route.ts';
import { deliveryAnswer, deliveryExample, deliveryParams } from '../delivery-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { DeliveryParams } from '../delivery-schemas.ts';
import type { Deliveries } from '../delivery-service.ts';

const retried = { ...deliveryExample, status: 'pending', tries: 0, endedAt: null };

export const retryDelivery = (deliveries: Deliveries): ServerRoute<{ Params: DeliveryParams }> => ({
    method: 'POST',
    path: '/api/webhooks/{webhookId}/deliveries/{deliveryId}/retry',
    options: {
        ...describeRoute('Attempt a delivery again at once', {
            tag: 'webhooks',
            notes: 'Whatever has become of it, with the very same body; if it fails, all attempts are made anew.',
            answer: deliveryAnswer,
            example: { delivery: { ...retried, nextAttemptAt: '2026-11-20T11:00:00.000Z' } },
            status: 202,
            errors: ['WEBHOOK_NOT_FOUND', 'DELIVERY_NOT_FOUND', 'WEBHOOK_DISABLED'],
            rateLimit: { limit: 20, window: 60 },
            idempotent: true,
        }),
        auth: { access: { scope: 'webhook:write' } },
        validate: { params: deliveryParams },
    },
    handler: async ({ auth, params }) => ({ delivery: await deliveries.retry(auth.credentials.actor, params) }),
});
