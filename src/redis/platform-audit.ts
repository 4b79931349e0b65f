import { PLATFORM } from './keys.ts';
import { audited, type AuditEntry } from './outbox.ts';
import { isApiError } from '../http/errors.ts';

import type { AppendOutbox } from './append-outbox.ts';
import type { Actor } from '../types/actor.ts';

/** What a platform admin does to a tenant that exists, or to another record. */
export interface Deed {
    /** Of the tenant, or of the record. */
    id: string;
    /** What the record is, where it is not the tenant itself. */
    resource?: string;
    action: string;
    details?: Record<string, unknown>;
}

const entryOf = (actor: Actor, { id, ...deed }: Deed, result: string): AuditEntry =>
    audited(actor, { resource: 'tenant', ...deed, resourceId: id, result });

/**
 * Does something that the platform's audit is told of, and a tenant's own, if it is done to one, by `act` with the
 * entry. The platform is in another slot: it is told before, and again how it ended. If the process dies in between,
 * the tenant's own audit knows what happened.
 */
export async function inPlatformAudit<T>(
    append: AppendOutbox,
    actor: Actor,
    deed: Deed,
    act: (audit: AuditEntry) => Promise<T>,
): Promise<T> {
    const tell = (result: string) => append(PLATFORM, { audit: [entryOf(actor, deed, result)] });
    await tell('intended');
    try {
        const result = await act(entryOf(actor, deed, 'success'));
        await tell('success');
        return result;
    } catch (error) {
        if (isApiError(error)) await tell(error.data?.code ?? 'INTERNAL_ERROR');
        throw error;
    }
}

/** Tells the platform's audit, and that of the tenant if it is one's, what a platform admin has looked at. */
export async function tellLook(append: AppendOutbox, actor: Actor, look: Deed, tenantId = PLATFORM): Promise<void> {
    const audit = [entryOf(actor, look, 'success')];
    for (const told of new Set([tenantId, PLATFORM])) await append(told, { audit });
}
