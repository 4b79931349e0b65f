import { describeRoute } from '../../../src/http/describe-route.ts';
import { deliveryParams, deliveryViewAnswer, deliveryViewExample } from '../delivery-schemas.ts';

import type { ServerRoute } from '@hapi/hapi';
import type { DeliveryParams } from '../delivery-schemas.ts';
import type { Deliveries } from '../delivery-service.ts';

export const getDelivery = (deliveries: Deliveries): ServerRoute<{ Params: DeliveryParams }> => ({
    method: 'GET',
    path: '/api/webhooks/{webhookId}/deliveries/{deliveryId}',
    options: {
        ...describeRoute('Get a delivery with its attempts and its body', {
            tag: 'webhooks',
            answer: deliveryViewAnswer,
            example: deliveryViewExample,
            errors: ['WEBHOOK_NOT_FOUND', 'DELIVERY_NOT_FOUND'],
            rateLimit: { limit: 60, window: 60 },
        }),
        auth: { access: { scope: 'webhook:read' } },
        validate: { params: deliveryParams },
    },
    handler: ({ auth, params }) => deliveries.get(auth.credentials.actor, params),
});
