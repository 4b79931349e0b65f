import { shown, type Shown } from './amounts.ts';
import { consumersOf, typeSums, type Consumer, type ConsumerKind, type TypeSum } from './consumers.ts';
import { ENTRY_TYPES } from './entry.ts';
import { csv } from '../../src/csv.ts';
import { apiError } from '../../src/http/errors.ts';
import { decimal, jsonAmount } from '../../src/money.ts';
import { isoTime } from '../../src/redis/codec.ts';

import type { InvoiceStore, StoredInvoice } from './invoice-store.ts';
import type { Page } from '../../src/redis/collection.ts';

/** What a line of an invoice can be about. */
export const ITEM_KINDS = ['model', 'vm', 'tunnel'] as const satisfies ConsumerKind[];

/** A month as it stands in the list. */
export interface InvoiceHead
    extends
        Shown<'opening'>,
        Shown<'added'>,
        Shown<'deducted'>,
        Shown<'refunded'>,
        Shown<'charged'>,
        Shown<'total'>,
        Shown<'closing'> {
    /** Without a gap for each tenant; null as long as the month is open. */
    number: number | null;
    /** `yyyy-mm` */
    month: string;
    status: 'open' | 'closed';
    tenantName: string;
    issuedAt: string | null;
}

export interface InvoiceItem extends Consumer {
    kind: (typeof ITEM_KINDS)[number];
}

export interface Invoice extends InvoiceHead {
    /** By type: together what lies between opening and closing. */
    lines: TypeSum[];
    /** What the charges were for. */
    items: InvoiceItem[];
}

/** The months of a tenant's credits. */
export class InvoiceService {
    readonly #store: InvoiceStore;

    constructor(store: InvoiceStore) {
        this.#store = store;
    }

    async list(tenantId: string, { limit, cursor }: { limit: number; cursor?: string }) {
        const { items, pagination }: Page<StoredInvoice> = await this.#store.list(tenantId, limit, cursor);
        return { invoices: items.map(headOf), pagination };
    }

    /** @param month `yyyy-mm` @throws INVOICE_NOT_FOUND */
    async get(tenantId: string, month: string): Promise<Invoice> {
        const found = await this.#store.find(tenantId, month.replace('-', ''));
        if (!found) throw apiError('INVOICE_NOT_FOUND');
        const items = ITEM_KINDS.flatMap((kind) =>
            consumersOf(found.sums, kind, Infinity).map((item) => ({ kind, ...item })),
        );
        return { ...headOf(found), lines: typeSums(found.sums, ENTRY_TYPES), items };
    }
}

function headOf({ month, issued, tenantName, opening, closing, sums }: StoredInvoice): InvoiceHead {
    const sum = (name: string) => sums.get(name) ?? 0n;
    const [charged, refunded] = [sum('tenant'), sum('type:refund')];
    return {
        number: issued && jsonAmount(BigInt(issued.number)),
        month: `${month.slice(0, 4)}-${month.slice(4)}`,
        status: issued ? 'closed' : 'open',
        tenantName,
        issuedAt: issued && isoTime(jsonAmount(BigInt(issued.at))),
        ...shown('opening', opening),
        ...shown('added', sum('type:credit_add')),
        ...shown('deducted', -sum('type:credit_deduct')),
        ...shown('refunded', refunded),
        ...shown('charged', charged),
        ...shown('total', charged - refunded),
        ...shown('closing', closing),
    };
}

const HEADING =
    'invoice,month,status,tenant,line,name,calls,inputTokens,outputTokens,minutes,bytes,amountMicros,amount'.split(',');

/** An invoice as a table: the opening, the lines by type, what the charges were for, the closing. */
export function invoiceTable({ number, month, status, tenantName, lines, items, ...sums }: Invoice): string {
    const place = [number, month, status, tenantName];
    const nothing = [null, null, null, null, null];
    const plain = (line: string, name: string | null, micros: number) => [
        ...place,
        line,
        name,
        ...nothing,
        micros,
        decimal(BigInt(micros)),
    ];
    return csv([
        HEADING,
        plain('opening', null, sums.openingMicros),
        ...lines.map(({ type, amountMicros }) => plain('type', type, amountMicros)),
        ...items.map(({ kind, id, calls, inputTokens, outputTokens, minutes, bytes, ...item }) => {
            const counts = [calls, inputTokens, outputTokens, minutes, bytes];
            return [...place, kind, id, ...counts, item.spentMicros, item.spent];
        }),
        plain('total', null, sums.totalMicros),
        plain('closing', null, sums.closingMicros),
    ]);
}
