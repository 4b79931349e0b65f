import type { TenantEvent } from '../../events/api.ts';

export type WebhookFormat = 'standard' | 'slack' | 'discord';

export type Comparison = 'eq' | 'ne' | 'gt' | 'gte' | 'lt' | 'lte' | 'in' | 'exists';

/** Compares the value at a path of the event, as `data.threadId`. */
export interface Condition {
    field: string;
    comparison: Comparison;
    value?: unknown;
}

/** Which events a webhook is for: one of the patterns fits its type (`thread.*`, `*`), and every condition holds. */
export interface EventFilter {
    events: string[];
    conditions: Condition[];
}

/** The body's fields, by path, from those of the event; nothing is computed. */
export type FieldMapping = Record<string, string>;

/** Where and how a webhook is sent. */
export interface Destination {
    url: string;
    format: WebhookFormat;
    mapping: FieldMapping | null;
    /** `whsec_…`, newest first: two while they are changed over. */
    secrets: string[];
}

/** What one attempt came to; `gone` is 410. */
export interface Attempt {
    outcome: 'delivered' | 'failed' | 'gone';
    /** Null when there was no answer. */
    status: number | null;
    durationMs: number;
    /** Why it failed, in a word of `AttemptFailure`. */
    failure: AttemptFailure | null;
    /** The first KiB of the answer. */
    responseBody: string;
}

export type AttemptFailure =
    | 'address_refused'
    | 'unresolved'
    | 'connection'
    | 'tls'
    | 'timeout'
    | 'redirect'
    | 'status';

/** Sends webhooks to addresses that may be reached, and to no others. */
export interface WebhookSender {
    /** @throws WEBHOOK_URL_REFUSED When the URL is not one that webhooks may be sent to; names are resolved to find out */
    check(url: string): Promise<void>;
    /** @throws What the signal was aborted with; never for what the other side does */
    send(destination: Destination, event: TenantEvent, signal?: AbortSignal): Promise<Attempt>;
}
