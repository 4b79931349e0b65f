import { recordOf, type LedgerRecord, type StreamEntry } from './record.ts';
import { apiError } from '../../src/http/errors.ts';
import { jsonAmount, type Micros } from '../../src/money.ts';
import { tenantKey } from '../../src/redis/keys.ts';
import { outboxKeys, outboxLists, type Outbox } from '../../src/redis/outbox.ts';

import type { CreditMeter } from './credit-meter.ts';
import type { ScriptEntry } from './entry.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';

export interface Refund {
    /** Of the operation: money moves once for it. */
    id: string;
    /** Of the entry that is given back. */
    recordId: string;
    /** All that is left of it unless given. */
    amount?: Micros;
    entry: ScriptEntry;
    outbox: Outbox;
}

/** Gives back what was charged. */
export class RefundStore {
    readonly #meter: CreditMeter;
    readonly #refund: RunScript;

    constructor(store: Datastore, meter: CreditMeter) {
        this.#meter = meter;
        this.#refund = store.script(new URL('./lua/refund.lua', import.meta.url));
    }

    /** @throws BILLING_RECORD_NOT_FOUND, NOT_REFUNDABLE */
    async refund(tenantId: string, { id, recordId, amount, entry, outbox }: Refund): Promise<LedgerRecord> {
        const keys = [tenantKey(tenantId, 'credits'), ...outboxKeys(tenantId)];
        const change = {
            id,
            recordId,
            entry,
            ...(amount !== undefined && { amount: String(amount) }),
            ...outboxLists(outbox),
        };
        const [code, found] = (await this.#refund(keys, [JSON.stringify(change)])) as [number, StreamEntry | string];
        if (code === -1) throw apiError('BILLING_RECORD_NOT_FOUND');
        if (typeof found === 'string') {
            throw apiError('NOT_REFUNDABLE', { details: { refundableMicros: jsonAmount(BigInt(found)) } });
        }
        const record = recordOf(found);
        if (code === 1) this.#meter('refund', BigInt(record.amountMicros));
        return record;
    }
}
