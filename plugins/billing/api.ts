import type { Bill } from './bill.ts';
import type { Payer } from './entry.ts';
import type { BillRecord, ScriptSettlement } from './model-bill.ts';
import type { Credits, PaymentReply } from './store.ts';
import type { ApiError, ErrorCode } from '../../src/http/errors.ts';
import type { Micros } from '../../src/money.ts';
import type { BackedUp } from '../../src/redis/aggregate.ts';
import type { ModelCall, Usage } from '../models/api.ts';

export type { Bill } from './bill.ts';
export {
    payerOf,
    scriptCharge,
    scriptEntry,
    type EntryDraft,
    type EntryType,
    type Payer,
    type ScriptCharge,
} from './entry.ts';
export { payableUsage, type BillRecord, type ScriptHold, type ScriptSettlement } from './model-bill.ts';
export type { PaymentReply } from './store.ts';

/** What a call is refused with that cannot be paid. */
export const PAYMENT_ERRORS: ErrorCode[] = ['INSUFFICIENT_CREDITS', 'SPEND_LIMIT_REACHED', 'PRICE_UNKNOWN'];

/** What a call of a model is billed as. */
export interface BillOrder {
    /** Of the hold and of the operation; unique. */
    id: string;
    payer: Payer;
    about: BillRecord['about'];
    /** What it has used is paid though the process dies; else what the caller has noted by `Bill.note`. */
    isNoted?: boolean;
}

/** What a unit of something costs that is no model, as an hour of a VM. */
export interface UnitPrice {
    item: string;
    unit: string;
    amount: Micros;
}

/** The port of the billing feature. */
export interface BillingService {
    /**
     * Where a tenant's credits are, for scripts that include `credits.lua` or `holds.lua`: their `keys` are `{credits:
     * this key, events, audit}`.
     */
    key(tenantId: string): string;
    /** What a script's negative code of `take_hold` or `charge_credits` is answered with. */
    refusal(reply: PaymentReply): ApiError;
    /**
     * The bill of a call; null when it costs the tenant nothing. A script of the caller's own takes its `hold` and
     * tells `opened`, or `take` does both.
     *
     * @param calls Those after the first are made when those before them fail
     * @throws PRICE_UNKNOWN
     */
    bill(order: BillOrder, calls: [ModelCall, ...ModelCall[]]): Bill | null;
    /** Before holds of a tenant are taken, so that a sweeper knows of them. Seldom a round trip. */
    register(tenantId: string): Promise<void>;
    /**
     * Takes the hold; the calls come back with no more output than can be paid, without those that cannot be.
     *
     * @throws INSUFFICIENT_CREDITS, SPEND_LIMIT_REACHED
     */
    take(bill: Bill): Promise<[ModelCall, ...ModelCall[]]>;
    /** The same, of what a script's `take_hold` gave. */
    opened(bill: Bill, reply: PaymentReply): [ModelCall, ...ModelCall[]];
    /** What a call has to pay that has ended, also one whose process has died. */
    settlementOf(record: BillRecord, modelId: string, usage: Usage | null): ScriptSettlement;
    /** Settles a call, once however often it is asked; never fails. */
    settle(tenantId: string, settlement: ScriptSettlement): Promise<void>;
    /** Tells of a settlement that a script of the caller's own has made, so that it is counted. */
    settled(settlement: ScriptSettlement): void;
    /** Settles holds whose processes have died. */
    sweep(): Promise<void>;
    credits(tenantId: string): Promise<Credits>;
    /** Adds what another feature sells to the price book. */
    addPrices(prices: UnitPrice[]): void;
}

declare module '@hapi/hapi' {
    interface PluginProperties {
        billing: BillingService & BackedUp;
    }
}
