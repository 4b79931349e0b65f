import { OPERATOR } from '../../src/operator.ts';
import { isoTime } from '../../src/redis/codec.ts';

/**
 * Who did it: a user with a session, or with a service API key; the operator by a command; nobody who is known; or the
 * program by itself.
 */
export interface AuditActor {
    type: 'user' | 'key' | 'operator' | 'anonymous' | 'system';
    /** Of the user or the key. */
    id: string | null;
}

/** An entry of the audit as it is shown. */
export interface AuditRecord {
    id: string;
    tenantId: string;
    userId: string | null;
    actor: AuditActor;
    action: string;
    resource: string;
    resourceId: string;
    result: string;
    /** Empty where nothing more is to be said. */
    details: Record<string, unknown>;
    ipAddress: string | null;
    userAgent: string | null;
    correlationId: string | null;
    timestamp: string;
    /** Of the chain; null while it is not sealed. */
    hash: string | null;
}

/** An entry as the script gives it. */
export type StoredRecord = [id: string, flat: string[], hash: string];

/** The id of an entry begins with its time, in milliseconds since the epoch. */
export function recordOf(tenantId: string, [id, flat, hash]: StoredRecord): AuditRecord {
    const fields = new Map<string, string>();
    for (let at = 0; at < flat.length; at += 2) fields.set(flat[at] ?? '', flat[at + 1] ?? '');
    const text = (name: string) => fields.get(name) ?? '';
    const textOrNull = (name: string) => fields.get(name) ?? null;
    return {
        id,
        tenantId,
        userId: textOrNull('userId'),
        actor: actorOf(fields),
        action: text('action'),
        resource: text('resource'),
        resourceId: text('resourceId'),
        result: text('result'),
        details: detailsOf(fields.get('details')),
        ipAddress: textOrNull('ipAddress'),
        userAgent: textOrNull('userAgent'),
        correlationId: textOrNull('correlationId'),
        timestamp: isoTime(Number(id.split('-')[0])),
        hash: hash === '' ? null : hash,
    };
}

/** What comes with a request has its address, known user or not. */
function actorOf(fields: Map<string, string>): AuditActor {
    const [userId, keyId] = [fields.get('userId'), fields.get('keyId')];
    if (keyId !== undefined) return { type: 'key', id: keyId };
    if (userId === OPERATOR) return { type: 'operator', id: null };
    if (userId !== undefined) return { type: 'user', id: userId };
    return { type: fields.has('ipAddress') ? 'anonymous' : 'system', id: null };
}

/** An entry that was altered is shown all the same: `verify` says what it is worth. */
function detailsOf(text: string | undefined): Record<string, unknown> {
    if (text === undefined) return {};
    try {
        return JSON.parse(text) as Record<string, unknown>;
    } catch {
        return { unreadable: text };
    }
}
