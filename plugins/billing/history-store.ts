import { recordOf, type StreamEntry } from './record.ts';
import { canonicalJson } from '../../src/http/idempotency-key.ts';
import { openCursor, sealCursor } from '../../src/redis/cursor.ts';
import { tenantKey } from '../../src/redis/keys.ts';

import type { HistoryPage, HistoryQuery } from './history.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';
import type { Vault } from '../../src/security/vault.ts';

/** How many entries a page looks at. */
const MOST_LOOKED_AT = 2_000;

/** What the index of the ledger knows, and what it calls that. */
const INDEXED = { type: 'type', userId: 'user', threadId: 'thread', vmId: 'vm' } as const;

/** Reads the ledger of tenants. */
export class HistoryStore {
    readonly #vault: Vault;
    readonly #most: number;
    readonly #read: RunScript;

    constructor(store: Datastore, vault: Vault, most = MOST_LOOKED_AT) {
        this.#vault = vault;
        this.#most = most;
        this.#read = store.script(new URL('./lua/read-history.lua', import.meta.url));
    }

    /** A page; it may be short, though there are more. @throws INVALID_CURSOR */
    async page(tenantId: string, { limit, cursor, order, from, to, ...match }: HistoryQuery): Promise<HistoryPage> {
        const key = tenantKey(tenantId, 'credits');
        const stretch = { from: from?.getTime() ?? '', before: to?.getTime() ?? '' };
        const list = canonicalJson({ key, order, stretch, match });
        const seen = cursor === undefined ? null : openCursor(this.#vault, list, cursor);
        const query = {
            direction: order,
            limit,
            most: this.#most,
            after: seen ? `${seen.score}-${seen.id}` : '',
            ...stretch,
            abouts: Object.entries(INDEXED).flatMap(([name, about]) => {
                const value = match[name as keyof typeof INDEXED];
                return value === undefined ? [] : [`${about}:${value}`];
            }),
            match,
        };
        const reply = await this.#read([key], [JSON.stringify(query)]);
        const [more, last, ...entries] = reply as [number, string, ...StreamEntry[]];
        const [score = '', id = ''] = last.split('-');
        const next = more === 1 ? sealCursor(this.#vault, list, { score, id }) : null;
        return {
            records: entries.map(recordOf),
            pagination: { cursor: next, limit, hasMore: next !== null },
        };
    }
}
