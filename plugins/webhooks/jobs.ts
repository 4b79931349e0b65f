import { DELIVER_WEBHOOK } from './delivery-queue.ts';
import { TELL_DISABLED } from './notices.ts';
import { REMOVE_DELIVERIES, SWEEP_EVERY_MS, SWEEP_WEBHOOKS } from './sweeper.ts';

import type { WebhookFeature } from './api.ts';
import type { Processors } from '../../src/jobs/worker.ts';

/** What the workers do for this feature. */
export const webhookJobs = (webhooks: WebhookFeature): Processors => ({
    [DELIVER_WEBHOOK]: (data) => webhooks.deliver(data),
    [REMOVE_DELIVERIES]: (data) => webhooks.removeDeliveries(data),
    [TELL_DISABLED]: (data) => webhooks.tellDisabled(data),
    [SWEEP_WEBHOOKS]: () => webhooks.sweep(),
});

/** What one of them does again and again. */
export const webhookSchedule = { [SWEEP_WEBHOOKS]: SWEEP_EVERY_MS };
