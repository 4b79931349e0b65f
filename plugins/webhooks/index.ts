import { attemptMeter } from './attempt-meter.ts';
import { Attempts } from './attempts.ts';
import { webhookAggregates } from './backup.ts';
import { webhookConsumer } from './consumer.ts';
import { DeliveryQueue } from './delivery-queue.ts';
import { Deliveries } from './delivery-service.ts';
import { DeliveryStore } from './delivery-store.ts';
import { Notices } from './notices.ts';
import { WebhookSecrets } from './secrets.ts';
import { createWebhookSender } from './sender/index.ts';
import { serve } from './serve.ts';
import { Webhooks, type WebhookParts } from './service.ts';
import { TENANTS_NAME, WebhookStore } from './store.ts';
import { Subscription } from './subscription.ts';
import { REMOVE_DELIVERIES, SWEEP_EVERY_MS, Sweeper } from './sweeper.ts';
import { createMailer } from '../../src/mail/mailer.ts';
import { appendOutbox } from '../../src/redis/append-outbox.ts';
import { DueTenants } from '../../src/redis/due-tenants.ts';

import type { Plugin } from '@hapi/hapi';
import type { WebhookFeature } from './api.ts';
import type { Platform } from '../../src/platform.ts';

export const webhooks: Plugin<Platform> = {
    name: 'webhooks',
    dependencies: ['auth', 'events', 'idempotency', 'tenants', 'users'],
    register: async (server, { store: datastore, vault, jobs, clock, config, logger, metrics }) => {
        const { events, tenants, users } = server.plugins;
        const store = new WebhookStore(datastore, vault);
        const deliveries = new DeliveryStore(datastore, vault, store, (tenantId) => tenants.key(tenantId));
        const queue = new DeliveryQueue(jobs);
        const secrets = new WebhookSecrets(vault);
        const sender = createWebhookSender({ allowPrivate: config.WEBHOOK_ALLOW_PRIVATE, clock });
        const append = appendOutbox(datastore);
        const due = new DueTenants(datastore, TENANTS_NAME, SWEEP_EVERY_MS);
        const subscription = new Subscription({ store, events, due });
        const notices = new Notices({ store, users, jobs, mailer: await createMailer(config) });
        const sweeper = new Sweeper({ due, store, deliveries, queue, subscription, clock, logger });
        const attempts = new Attempts({
            deliveries,
            secrets,
            sender,
            random: Math.random,
            logger,
            onAttempt: attemptMeter(metrics),
            disabled: (tenantId, webhook, reason) => notices.disabled(tenantId, webhook, reason),
        });
        const removed: WebhookParts['removed'] = async ({ tenantId, requestId }, webhookId) => {
            // There is a note of it: the sweeper takes it up if the queue is away.
            await jobs.add(REMOVE_DELIVERIES, { tenantId, webhookId, requestId }).catch((error: unknown) => {
                logger.warn(
                    { module: 'webhooks', requestId, tenantId, webhookId, err: error },
                    'A removal could not be asked for',
                );
            });
        };
        const service = new Webhooks({ store, secrets, sender, subscription, append, clock, removed });

        const checkRestoring = (tenantId: string) => tenants.checkRestoring(tenantId);
        events.consume(webhookConsumer({ store, deliveries, queue, checkRestoring }));
        const feature: WebhookFeature = {
            deliver: (data) => attempts.deliver(data),
            removeDeliveries: ({ tenantId, webhookId = '' }) => sweeper.remove(tenantId, webhookId),
            tellDisabled: (data) => notices.tell(data),
            sweep: () => sweeper.sweep(),
            aggregates: [
                webhookAggregates(datastore, {
                    store,
                    subscribe: (tenantId) => subscription.begin(tenantId),
                    forget: (...place) => sweeper.forget(...place),
                    endRemoval: (...place) => sweeper.remove(...place),
                }),
            ],
        };
        server.expose(feature);
        serve(server, service, new Deliveries({ webhooks: service, deliveries, queue, events, append }));
    },
};
