import { setTimeout as sleep } from 'node:timers/promises';

import { tell, type Doer } from './outbox.ts';
import { apiError } from '../../src/http/errors.ts';
import { newId } from '../../src/ids.ts';

import type { OperatorRestore, Restore } from './api.ts';
import type { BackupStore } from './backup-store.ts';
import type { RestoreStore } from './restore-store.ts';
import type { RestoreWork } from './restore-work.ts';
import type { ServerSentEvent } from '../../src/http/sse.ts';
import type { DueTenants } from '../../src/redis/due-tenants.ts';
import type { Actor } from '../../src/types/actor.ts';

const LOOK_EVERY_MS = 1_000;

export interface RestoreParts {
    store: RestoreStore;
    backups: BackupStore;
    work: Pick<RestoreWork, 'enqueue'>;
    tenants: DueTenants;
}

/** Restores of the actor's tenant. */
export class Restores {
    readonly #parts: RestoreParts;

    constructor(parts: RestoreParts) {
        this.#parts = parts;
    }

    /** @throws As `begin` */
    async start(actor: Actor, order: Omit<OperatorRestore, 'withPlan'>): Promise<Restore> {
        const restore = await this.begin(actor.tenantId, { ...order, withPlan: false }, actor);
        await this.#parts.work.enqueue(actor.tenantId, restore.id, { requestId: actor.requestId });
        return restore;
    }

    /** @throws BACKUP_NOT_FOUND, BACKUP_COMPONENT_MISSING, INVALID_STATE, BACKUP_IN_PROGRESS, RESTORE_IN_PROGRESS */
    async begin(tenantId: string, order: OperatorRestore, doer: Doer): Promise<Restore> {
        const { store, backups, tenants } = this.#parts;
        const { backupId, withPlan } = order;
        const backup = await backups.get(tenantId, backupId);
        const components = [...new Set(order.components ?? backup.components)];
        const missing = components.filter((component) => !backup.components.includes(component));
        if (missing.length > 0) throw apiError('BACKUP_COMPONENT_MISSING', { details: { missing } });
        await tenants.note(tenantId);
        const id = newId('restore');
        const restore = { id, backupId, components, withPlan, createdBy: doer?.userId ?? 'operator' };
        const outbox = tell(doer, {
            event: 'backup.restore_started',
            data: { restoreId: id, backupId, components },
            action: 'backup.restore_start',
            resource: 'backup_restore',
            id,
            details: { backupId, components, withPlan },
        });
        return store.begin(tenantId, restore, backups.records.key(tenantId, backupId), outbox);
    }

    /** @throws RESTORE_NOT_FOUND */
    get = ({ tenantId }: Actor, id: string): Promise<Restore> => this.#parts.store.records.get({ tenantId }, id);

    /** Its state now and each time that it changes, until it has ended. @throws RESTORE_NOT_FOUND */
    async follow(actor: Actor, id: string): Promise<AsyncGenerator<ServerSentEvent[]>> {
        const first = await this.get(actor, id);
        const look = () => this.#parts.store.records.find({ tenantId: actor.tenantId }, id);
        return changes(first, look);
    }
}

async function* changes(first: Restore, look: () => Promise<Restore | null>): AsyncGenerator<ServerSentEvent[]> {
    let known = 0;
    for (let restore: Restore | null = first; restore; restore = await look()) {
        if (restore.revision > known) yield [eventOf(restore)];
        known = restore.revision;
        if (isEnded(restore)) return;
        await sleep(LOOK_EVERY_MS);
    }
}

const isEnded = ({ state }: Restore): boolean => state === 'completed' || state === 'failed';

const EVENTS = new Map([
    ['completed', 'complete'],
    ['failed', 'error'],
]);

const eventOf = (restore: Restore): ServerSentEvent => ({
    id: String(restore.revision),
    event: EVENTS.get(restore.state) ?? 'progress',
    data: { restore },
});
