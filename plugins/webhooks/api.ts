import type { EventFilter, FieldMapping, WebhookFormat } from './sender/types.ts';
import type { JobData } from '../../src/jobs/jobs.ts';
import type { BackedUp } from '../../src/redis/aggregate.ts';
import type { RecordBase } from '../../src/redis/codec.ts';

/** Why a webhook was disabled by itself: its receiver said 410, or nothing succeeded for five days. */
export type DisabledReason = 'gone' | 'failing';

/** An address that is told of a tenant's events. */
export interface Webhook extends RecordBase {
    url: string;
    description: string | null;
    filter: EventFilter;
    mapping: FieldMapping | null;
    format: WebhookFormat;
    isActive: boolean;
    /** Null when it was not disabled, or not by itself. */
    disabledReason: DisabledReason | null;
    /** The first failure since the last success. */
    failingSince: string | null;
    /** The last attempt, and its status; null when there was no answer. */
    lastDeliveryAt: string | null;
    lastStatus: number | null;
    /** Sealed, as the one before it, which also signs until its time. */
    secret: string;
    previousSecret: string | null;
    previousSecretExpiresAt: string | null;
}

/** What users see of a webhook. */
export type PublicWebhook = Omit<Webhook, 'secret' | 'previousSecret'>;

export type DeliveryStatus = 'pending' | 'delivered' | 'failed' | 'cancelled';

/** An event on its way to a webhook, or what became of it. */
export interface Delivery {
    id: string;
    webhookId: string;
    eventId: string;
    eventType: string;
    status: DeliveryStatus;
    /** Why it ended, where that was not a success. */
    reason: DeliveryReason | null;
    /** Attempts so far, since it was last begun. */
    tries: number;
    createdAt: string;
    /** Null when it has ended. */
    nextAttemptAt: string | null;
    endedAt: string | null;
}

/**
 * `exhausted`: all attempts failed; `gone`: the receiver said 410; `failing`, `disabled`: the webhook was disabled;
 * `expired`: it waited for seven days; `backlog`: too many others waited.
 */
export type DeliveryReason = 'exhausted' | 'gone' | 'failing' | 'disabled' | 'expired' | 'backlog';

/** The port of the webhooks feature: what the workers do, and what is backed up. */
export interface WebhookFeature extends BackedUp {
    /** Makes the attempt of a delivery that is due. @throws PutOff */
    deliver(data: JobData): Promise<void>;
    /** Removes the deliveries of a webhook that was deleted. */
    removeDeliveries(data: JobData): Promise<void>;
    /** Tells an admin by mail that a webhook was disabled. */
    tellDisabled(data: JobData): Promise<void>;
    /** Takes up again what a crash has left lying. */
    sweep(): Promise<void>;
}

declare module '@hapi/hapi' {
    interface PluginProperties {
        webhooks: WebhookFeature;
    }
}
