import { tenantKey } from './keys.ts';

import type { EventType } from '../events/catalogue.ts';
import type { Actor, Caller } from '../types/actor.ts';

/** What others should know of a change: webhooks and live clients read it from the tenant's event stream. */
export interface EventEntry {
    type: EventType;
    /** Ids and states, never content or secrets; with `userId`, where it has an owner, who may see it. */
    data: Record<string, unknown>;
    /** Of the request that has caused it, where no audit entry beside it says so. */
    requestId?: string;
}

/** Who did what to which record, from where; `result` is `success` or the catalogue code of the refusal. */
export interface AuditEntry {
    userId?: string;
    /** Of the service API key that the user's request came with. */
    keyId?: string;
    action: string;
    resource: string;
    resourceId: string;
    result: string;
    details?: Record<string, unknown>;
    ipAddress?: string;
    userAgent?: string;
    correlationId?: string;
}

/** An audit entry of that caller, and of its user and its service API key where they are known. */
export const audited = (
    { requestId, ipAddress, userAgent, userId, keyId }: Caller & Pick<AuditEntry, 'userId' | 'keyId'>,
    entry: Omit<AuditEntry, 'correlationId' | 'ipAddress' | 'userAgent' | 'keyId'>,
): AuditEntry => ({
    ...(userId !== undefined && { userId }),
    ...(keyId !== undefined && { keyId }),
    ...entry,
    ipAddress,
    userAgent,
    correlationId: requestId,
});

/** What was done to a record, by nobody who is known. */
export const done = (resource: string, action: string, resourceId: string): AuditEntry => ({
    action: `${resource}.${action}`,
    resource,
    resourceId,
    result: 'success',
});

/** What somebody has done to a record. */
export const doneBy = (
    actor: Actor,
    resource: string,
    action: string,
    resourceId: string,
    details?: object,
): AuditEntry => audited(actor, { ...done(resource, action, resourceId), ...(details && { details: { ...details } }) });

/** The entries that a script appends in the same step as its change. */
export interface Outbox {
    events?: EventEntry[];
    audit?: AuditEntry[];
}

/** The two streams an outbox is written to, as a script's KEYS. */
export const outboxKeys = (tenantId: string): [events: string, audit: string] => [
    tenantKey(tenantId, 'events'),
    tenantKey(tenantId, 'audit'),
];

/** Of the request that a change was made by, if it was one. */
export const requestIdOf = ({ audit = [] }: Outbox): string | undefined =>
    audit.find(({ correlationId }) => correlationId !== undefined)?.correlationId;

/** The form `outbox.lua` takes: every entry a flat list of field, value, field, value. */
export function outboxLists(outbox: Outbox): { events: string[][]; audit: string[][] } {
    const { events = [], audit = [] } = outbox;
    const requestId = requestIdOf(outbox);
    const caused =
        requestId === undefined
            ? events
            : events.map((event) => ({ ...event, requestId: event.requestId ?? requestId }));
    return { events: caused.map(flatten), audit: audit.map(flatten) };
}

function flatten(entry: EventEntry | AuditEntry): string[] {
    return Object.entries(entry)
        .filter(([, value]) => value !== undefined)
        .flatMap(([field, value]) => [field, typeof value === 'string' ? value : JSON.stringify(value)]);
}
