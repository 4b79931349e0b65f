import type { HistoryStore } from './history-store.ts';
import type { HistoryPage, HistoryQuery } from './history.ts';
import type { Actor } from '../../src/types/actor.ts';

/** Who may see what others were charged. */
const SEES_ALL = 'billing:read';

/** The ledger of one's own tenant: all of it for admins, for others what they have caused. */
export class HistoryService {
    readonly #store: HistoryStore;

    constructor(store: HistoryStore) {
        this.#store = store;
    }

    /** @throws INVALID_CURSOR */
    async page({ tenantId, userId, permissions }: Actor, query: HistoryQuery): Promise<HistoryPage> {
        if (permissions.includes(SEES_ALL)) return this.#store.page(tenantId, query);
        const isOther = query.userId !== undefined && query.userId !== userId;
        if (isOther) return { records: [], pagination: { cursor: null, limit: query.limit, hasMore: false } };
        return this.#store.page(tenantId, { ...query, userId });
    }
}
