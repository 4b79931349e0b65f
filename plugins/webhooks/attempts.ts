import { disabledOutbox } from './outbox.ts';
import { PutOff } from '../../src/jobs/put-off.ts';
import { isoTime } from '../../src/redis/codec.ts';

import type { DisabledReason, Webhook } from './api.ts';
import type { AttemptEntry, StoredDelivery } from './delivery-codec.ts';
import type { DeliveryStore } from './delivery-store.ts';
import type { WebhookSecrets } from './secrets.ts';
import type { Attempt, WebhookSender } from './sender/types.ts';
import type { JobData } from '../../src/jobs/jobs.ts';
import type { Logger } from '../../src/telemetry/logger.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** Between an attempt that fails and the next one; after the last of them a delivery has failed. */
export const RETRY_DELAYS_MS = [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR];
/** Each is so much shorter or longer at most, so that what failed together does not come back together. */
const JITTER = 0.2;

export interface AttemptParts {
    deliveries: DeliveryStore;
    secrets: WebhookSecrets;
    sender: WebhookSender;
    /** Between 0 and 1. */
    random: () => number;
    /** Tells the tenant's admins that a webhook was disabled. */
    disabled: (tenantId: string, webhook: Webhook, reason: DisabledReason) => Promise<void>;
    logger: Logger;
    /** Told of each attempt. */
    onAttempt: (attempt: Pick<Attempt, 'outcome' | 'durationMs'>) => void;
}

/** Makes the attempts of deliveries. */
export class Attempts {
    readonly #parts: AttemptParts;

    constructor(parts: AttemptParts) {
        this.#parts = parts;
    }

    /**
     * Attempts a delivery if it is due. Who dies in the middle has it attempted again.
     *
     * @throws PutOff Until the next attempt, or until there is room within the webhook's limits
     */
    async deliver({ tenantId, webhookId = '', deliveryId = '', round = '' }: JobData): Promise<void> {
        const { deliveries } = this.#parts;
        const place = { tenantId, webhookId, deliveryId, round };
        const claim = await deliveries.claim(place);
        if (claim.state === 'over') return;
        if (claim.state === 'later') throw new PutOff(claim.delayMs);
        const attempt = await this.#send(tenantId, claim);
        const { tries } = claim.delivery;
        const { delayMs, disabled } = await deliveries.finish(place, {
            attempt,
            tries,
            delayMs: this.#delayAfter(tries),
            disabled: { gone: disabledOutbox(webhookId, 'gone'), failing: disabledOutbox(webhookId, 'failing') },
        });
        if (disabled) await this.#parts.disabled(tenantId, claim.webhook, disabled);
        if (delayMs !== null) throw new PutOff(delayMs);
    }

    async #send(tenantId: string, { at, delivery, webhook }: Due): Promise<AttemptEntry> {
        const { secrets, sender, logger } = this.#parts;
        const { id: deliveryId, webhookId, event, format, mapping } = delivery;
        const destination = { url: webhook.url, format, mapping, secrets: secrets.open(tenantId, webhook, at) };
        const attempt = await sender.send(destination, event);
        const { outcome, status, failure, durationMs } = attempt;
        const about = { requestId: event.requestId, tenantId, webhookId, deliveryId, eventId: event.id };
        logger.info({ module: 'webhooks', ...about, outcome, status, failure, durationMs }, 'webhook attempted');
        this.#parts.onAttempt(attempt);
        return { at: isoTime(at), ...attempt };
    }

    #delayAfter(tries: number): number | undefined {
        const delay = RETRY_DELAYS_MS[tries];
        return delay && Math.round(delay * (1 - JITTER + 2 * JITTER * this.#parts.random()));
    }
}

interface Due {
    at: number;
    delivery: StoredDelivery;
    webhook: Webhook;
}
