import { isApiError } from '../../src/http/errors.ts';
import { PLATFORM } from '../../src/redis/keys.ts';
import { audited, type AuditEntry } from '../../src/redis/outbox.ts';

import type { AppendOutbox } from '../../src/redis/append-outbox.ts';
import type { Actor } from '../../src/types/actor.ts';

/** What an operator does, and to what. */
export type Deed = Pick<AuditEntry, 'action' | 'resource' | 'resourceId' | 'details'>;

/** Tells the platform's audit that somebody has looked. */
export const tellLook = (append: AppendOutbox, actor: Actor, action: string, resource: string): Promise<void> =>
    append(PLATFORM, {
        audit: [audited(actor, { action, resource, resourceId: PLATFORM, result: 'success' })],
    });

/** Does something that no script does together with its audit: told before, and again how it ended. */
export async function tellDeed<T>(append: AppendOutbox, actor: Actor, deed: Deed, act: () => Promise<T>): Promise<T> {
    const tell = (result: string) => append(PLATFORM, { audit: [audited(actor, { ...deed, result })] });
    await tell('intended');
    try {
        const done = await act();
        await tell('success');
        return done;
    } catch (error) {
        if (isApiError(error)) await tell(error.data?.code ?? 'INTERNAL_ERROR');
        throw error;
    }
}
