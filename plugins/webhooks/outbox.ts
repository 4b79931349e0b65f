import { done, doneBy, type AuditEntry, type Outbox } from '../../src/redis/outbox.ts';

import type { DisabledReason } from './api.ts';
import type { Actor } from '../../src/types/actor.ts';

/** What somebody does with a webhook that changes nothing of it. */
export const auditOf = (actor: Actor, action: string, id: string, details?: Record<string, unknown>): AuditEntry =>
    doneBy(actor, 'webhook', action, id, details);

const HAPPENED = {
    create: 'webhook.created',
    update: 'webhook.updated',
    rotate_secret: 'webhook.updated',
    delete: 'webhook.deleted',
} as const;

/** A change of a webhook, as others are told of it. */
export const changeOf = (
    actor: Actor,
    action: keyof typeof HAPPENED,
    id: string,
    details?: Record<string, unknown>,
): Outbox => ({
    events: [{ type: HAPPENED[action], data: { webhookId: id } }],
    audit: [auditOf(actor, action, id, details)],
});

/** A webhook that is disabled by itself. */
export const disabledOutbox = (id: string, reason: DisabledReason): Outbox => ({
    events: [{ type: 'webhook.disabled', data: { webhookId: id, reason } }],
    audit: [{ ...done('webhook', 'disable', id), details: { reason } }],
});
