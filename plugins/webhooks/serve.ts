import { createWebhook } from './routes/create-webhook.ts';
import { deleteWebhook } from './routes/delete-webhook.ts';
import { getDelivery } from './routes/get-delivery.ts';
import { getWebhook } from './routes/get-webhook.ts';
import { listDeliveries } from './routes/list-deliveries.ts';
import { listWebhooks } from './routes/list-webhooks.ts';
import { replayWebhook } from './routes/replay-webhook.ts';
import { retryDelivery } from './routes/retry-delivery.ts';
import { rotateSecret } from './routes/rotate-secret.ts';
import { testWebhook } from './routes/test-webhook.ts';
import { updateWebhook } from './routes/update-webhook.ts';

import type { Server } from '@hapi/hapi';
import type { Deliveries } from './delivery-service.ts';
import type { Webhooks } from './service.ts';

/** Adds the routes. */
export function serve(server: Server, webhooks: Webhooks, deliveries: Deliveries): void {
    server.route(createWebhook(webhooks));
    server.route(listWebhooks(webhooks));
    server.route(getWebhook(webhooks));
    server.route(updateWebhook(webhooks));
    server.route(deleteWebhook(webhooks));
    server.route(testWebhook(webhooks));
    server.route(rotateSecret(webhooks));
    server.route(replayWebhook(deliveries));
    server.route(listDeliveries(deliveries));
    server.route(getDelivery(deliveries));
    server.route(retryDelivery(deliveries));
}
