import { readSums } from './summary-store.ts';
import { openCursor, sealCursor } from '../../src/redis/cursor.ts';
import { tenantKey } from '../../src/redis/keys.ts';
import { outboxKeys } from '../../src/redis/outbox.ts';

import type { Micros } from '../../src/money.ts';
import type { Page } from '../../src/redis/collection.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';
import type { Vault } from '../../src/security/vault.ts';

/** A month of a tenant's credits. */
export interface StoredInvoice {
    /** `yyyymm` */
    month: string;
    /** Null: the month is open. */
    issued: { number: string; at: string } | null;
    tenantName: string;
    opening: Micros;
    closing: Micros;
    /** Amounts and counts, as `credits.lua` has them. */
    sums: Map<string, bigint>;
}

/** The months of tenants, open and closed. To read closes the one that is over. */
export class InvoiceStore {
    readonly #vault: Vault;
    readonly #list: RunScript;
    readonly #read: RunScript;

    constructor(store: Datastore, vault: Vault) {
        this.#vault = vault;
        this.#list = store.script(new URL('./lua/list-invoices.lua', import.meta.url));
        this.#read = store.script(new URL('./lua/read-invoice.lua', import.meta.url));
    }

    /** Null when there is none of that month. @param month `yyyymm` */
    async find(tenantId: string, month: string): Promise<StoredInvoice | null> {
        const reply = await this.#read(keysOf(tenantId), [month]);
        const [code, fields = [], sums = []] = reply as [number, string[]?, string[]?];
        return code === 0 ? null : invoiceOf([month, fields, sums]);
    }

    /** The closed ones, the newest first. @throws INVALID_CURSOR */
    async list(tenantId: string, limit: number, cursor?: string): Promise<Page<StoredInvoice>> {
        const keys = keysOf(tenantId);
        const name = `${keys[0]}:invoices`;
        const from = cursor === undefined ? { score: '', id: '' } : openCursor(this.#vault, name, cursor);
        const reply = await this.#list(keys, ['desc', limit, from.score, from.id]);
        const [totalCount, more, score, id, ...found] = reply as [number, number, string, string, ...FoundMonth[]];
        const next = more === 1 ? sealCursor(this.#vault, name, { score, id }) : null;
        return {
            items: found.map(invoiceOf),
            pagination: { cursor: next, limit, hasMore: next !== null, totalCount },
        };
    }
}

type FoundMonth = [month: string, fields: string[], sums: string[]];

const keysOf = (tenantId: string) =>
    [tenantKey(tenantId, 'credits'), ...outboxKeys(tenantId)] as const satisfies string[];

function invoiceOf([month, flat, sums]: FoundMonth): StoredInvoice {
    const fields = new Map(Array.from({ length: flat.length / 2 }, (_, n) => [flat[2 * n], flat[2 * n + 1]] as const));
    const [number, at] = [fields.get('number'), fields.get('issuedAt')];
    return {
        month,
        issued: number === undefined || at === undefined ? null : { number, at },
        tenantName: fields.get('tenantName') ?? '',
        opening: BigInt(fields.get('opening') ?? '0'),
        closing: BigInt(fields.get('closing') ?? '0'),
        sums: readSums(sums),
    };
}
