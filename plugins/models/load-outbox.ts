import { audited, type EventEntry, type Outbox } from '../../src/redis/outbox.ts';

import type { LoadJob } from './load-store.ts';
import type { Actor } from '../../src/types/actor.ts';

/** What the tenant of the caller is told of a load that has ended. */
export function loadOutbox({ modelId, jobId, caller, errorCode, work }: LoadJob): Outbox {
    const { tenantId: _own, ...by } = caller;
    const data = { userId: caller.userId, modelId, jobId };
    const failure: EventEntry = { type: 'model.load_failed', data: { ...data, code: errorCode } };
    const success: EventEntry[] = work === 'none' ? [] : [{ type: 'model.loaded', data }];
    return {
        events: errorCode === null ? success : [failure],
        audit: [
            audited(by, {
                action: 'model.load',
                resource: 'model',
                resourceId: modelId,
                result: errorCode ?? 'success',
                details: { jobId, ...(work !== null && { work }) },
            }),
        ],
    };
}

export const unloadOutbox = (actor: Actor, modelId: string): Outbox => ({
    events: [{ type: 'model.unloaded', data: { userId: actor.userId, modelId } }],
    audit: [audited(actor, { action: 'model.unload', resource: 'model', resourceId: modelId, result: 'success' })],
});
