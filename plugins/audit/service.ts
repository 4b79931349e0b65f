import type { AuditQuery } from './query.ts';
import type { AuditPage, AuditStore } from './store.ts';
import type { Actor } from '../../src/types/actor.ts';

/** Who did what in one's own tenant. */
export class EntryService {
    readonly #store: AuditStore;

    constructor(store: AuditStore) {
        this.#store = store;
    }

    /** @throws INVALID_CURSOR */
    page({ tenantId }: Actor, query: AuditQuery): Promise<AuditPage> {
        return this.#store.page(tenantId, query);
    }
}
