import { isApiError } from '../../src/http/errors.ts';
import { PLATFORM } from '../../src/redis/keys.ts';
import { audited, type AuditEntry } from '../../src/redis/outbox.ts';

import type { TenantParts } from './parts.ts';
import type { Actor } from '../../src/types/actor.ts';

interface Deed {
    id: string;
    action: string;
    details?: Record<string, unknown>;
}

/**
 * Does something to a tenant; told in its own audit, by `act` with its entry, and in the platform's. The platform is in
 * another slot: it is told before, and again how it ended. If the process dies in between, the tenant's own audit knows
 * what happened.
 */
export async function inBothAudits<T>(
    { store, append }: Pick<TenantParts, 'store' | 'append'>,
    actor: Actor,
    { id, ...deed }: Deed,
    act: (audit: AuditEntry) => Promise<T>,
): Promise<T> {
    const entryOf = (result: string) => audited(actor, { ...deed, resource: 'tenant', resourceId: id, result });
    await store.get(id);
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
