import { recordOf, type AuditRecord, type StoredRecord } from './entry.ts';
import { canonicalJson } from '../../src/http/idempotency-key.ts';
import { openCursor, sealCursor } from '../../src/redis/cursor.ts';
import { tenantKey } from '../../src/redis/keys.ts';

import type { ChainEnd } from './chain.ts';
import type { AuditFilter, AuditQuery } from './query.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';
import type { Vault } from '../../src/security/vault.ts';

/** How many entries a page looks at. */
const MOST_LOOKED_AT = 2_000;

/** A page of the audit; what it has in all is not counted. */
export interface AuditPage {
    entries: AuditRecord[];
    pagination: { cursor: string | null; limit: number; hasMore: boolean };
}

/** What is asked of the script besides the filter. */
interface Stretch {
    direction: 'asc' | 'desc';
    limit: number;
    /** Id of the last entry that was looked at, or ''. */
    after: string;
    /** Id of the newest one that counts, or ''. */
    until: string;
}

/** Reads the audit of tenants. */
export class AuditStore {
    readonly #store: Datastore;
    readonly #vault: Vault;
    readonly #most: number;
    readonly #read: RunScript;

    constructor(store: Datastore, vault: Vault, most = MOST_LOOKED_AT) {
        this.#store = store;
        this.#vault = vault;
        this.#most = most;
        this.#read = store.script(new URL('./lua/read-entries.lua', import.meta.url));
    }

    /** A page; it may be short, though there are more. @throws INVALID_CURSOR */
    async page(tenantId: string, { limit, cursor, order, ...filter }: AuditQuery): Promise<AuditPage> {
        const list = canonicalJson({ key: auditKey(tenantId), order, filter: wordsOf(filter) });
        const seen = cursor === undefined ? null : openCursor(this.#vault, list, cursor);
        const after = seen ? `${seen.score}-${seen.id}` : '';
        const { last, entries } = await this.#look(tenantId, filter, { direction: order, limit, after, until: '' });
        const [score = '', id = ''] = last?.split('-') ?? [];
        const next = last === null ? null : sealCursor(this.#vault, list, { score, id });
        return { entries, pagination: { cursor: next, limit, hasMore: next !== null } };
    }

    /** All entries up to and with `until` that fit, some at a time, each time in one round trip. */
    async *pages(
        tenantId: string,
        filter: AuditFilter,
        { order, limit, until }: { order: 'asc' | 'desc'; limit: number; until: string },
    ): AsyncGenerator<AuditRecord[]> {
        let after: string | null = '';
        while (after !== null) {
            const found = await this.#look(tenantId, filter, { direction: order, limit, after, until });
            yield found.entries;
            after = found.last;
        }
    }

    /** The id of the newest entry, '' where there is none. */
    async newestId(tenantId: string): Promise<string> {
        const found = await this.#store.redis.xrevrange(auditKey(tenantId), '+', '-', 'COUNT', 1);
        return found[0]?.[0] ?? '';
    }

    /** A place in the chain that only this tenant's verification goes on from. */
    sealPlace(tenantId: string, { id, hash, count }: ChainEnd): string {
        return sealCursor(this.#vault, placesOf(tenantId), { score: id, id: `${hash}.${count}` });
    }

    /** @throws INVALID_CURSOR */
    openPlace(tenantId: string, cursor: string): ChainEnd {
        const { score, id } = openCursor(this.#vault, placesOf(tenantId), cursor);
        const [hash = '', count] = id.split('.');
        return { id: score, hash, count: Number(count) };
    }

    async #look(tenantId: string, filter: AuditFilter, { after, until, ...stretch }: Stretch) {
        const query = { ...wordsOf(filter), ...stretch, after, until, most: this.#most };
        const reply = await this.#read(
            [auditKey(tenantId), tenantKey(tenantId, 'audit', 'seals')],
            [JSON.stringify(query)],
        );
        const [more, last, ...entries] = reply as [number, string, ...StoredRecord[]];
        return { last: more === 1 ? last : null, entries: entries.map((entry) => recordOf(tenantId, entry)) };
    }
}

const auditKey = (tenantId: string): string => tenantKey(tenantId, 'audit');
const placesOf = (tenantId: string): string => `${auditKey(tenantId)} verification`;

/** The filter as the script takes it. */
function wordsOf({ from, to, action, result, ...exact }: AuditFilter) {
    const isPrefix = action?.endsWith('*') === true;
    const isFailure = result === 'failure';
    return {
        from: from?.getTime() ?? '',
        before: to?.getTime() ?? '',
        prefix: isPrefix ? action.slice(0, -1) : '',
        isFailure,
        match: {
            ...exact,
            ...(action !== undefined && !isPrefix && { action }),
            ...(result !== undefined && !isFailure && { result }),
        },
    };
}
