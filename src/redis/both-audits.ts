import { PLATFORM } from './keys.ts';
import { audited, type AuditEntry } from './outbox.ts';
import { isApiError } from '../http/errors.ts';

import type { AppendOutbox } from './append-outbox.ts';
import type { Actor } from '../types/actor.ts';

/** What a platform admin does to a tenant that exists, or to a record of one. */
export interface Deed {
    /** Of the tenant, or of the record. */
    id: string;
    /** What the record is, where it is not the tenant itself. */
    resource?: string;
    action: string;
    details?: Record<string, unknown>;
}

/**
 * Does something to a tenant; told in its own audit, by `act` with its entry, and in the platform's. The platform is in
 * another slot: it is told before, and again how it ended. If the process dies in between, the tenant's own audit knows
 * what happened.
 */
export async function inBothAudits<T>(
    append: AppendOutbox,
    actor: Actor,
    { id, ...deed }: Deed,
    act: (audit: AuditEntry) => Promise<T>,
): Promise<T> {
    const entryOf = (result: string) => audited(actor, { resource: 'tenant', ...deed, resourceId: id, result });
    await append(PLATFORM, { audit: [entryOf('intended')] });
    try {
        const result = await act(entryOf('success'));
        await append(PLATFORM, { audit: [entryOf('success')] });
        return result;
    } catch (error) {
        if (isApiError(error)) await append(PLATFORM, { audit: [entryOf(error.data?.code ?? 'INTERNAL_ERROR')] });
        throw error;
    }
}
