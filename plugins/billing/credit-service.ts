import { shown, type Shown } from './amounts.ts';
import { scriptEntry } from './entry.ts';
import { apiError } from '../../src/http/errors.ts';
import { dollars, type Micros } from '../../src/money.ts';
import { inPlatformAudit } from '../../src/redis/platform-audit.ts';

import type { LedgerRecord } from './record.ts';
import type { RefundStore } from './refund-store.ts';
import type { BillingStore } from './store.ts';
import type { Config } from '../../src/config.ts';
import type { AppendOutbox } from '../../src/redis/append-outbox.ts';
import type { Actor } from '../../src/types/actor.ts';
import type { TenantService } from '../tenants/api.ts';

export interface CreditParts {
    store: BillingStore;
    refunds: RefundStore;
    tenants: TenantService;
    append: AppendOutbox;
    config: Pick<Config, 'CREDIT_BALANCE_LIMIT' | 'WELCOME_CREDITS'>;
}

/** Credits as the API shows them. */
export type PublicCredits = Shown<'balance'> & Shown<'held'> & Shown<'available'> & Shown<'spent'> & Shown<'lowCredit'>;

export interface CreditChange {
    tenantId: string;
    /** Negative where it is taken. */
    amountMicros: number;
    reason: string;
}

export interface RefundOrder {
    tenantId: string;
    recordId: string;
    /** All that is left of it unless given. */
    amountMicros?: number;
    reason: string;
}

/** What a platform admin did, and how the tenant's credits are now. */
export interface Moved {
    record: LedgerRecord;
    credits: PublicCredits;
}

/** Credits as tenants see them, and what the platform's cashiers do with them. */
export class CreditService {
    readonly #parts: CreditParts;

    constructor(parts: CreditParts) {
        this.#parts = parts;
    }

    async credits(tenantId: string): Promise<PublicCredits> {
        const { balance, held, spent, lowCredit } = await this.#parts.store.read(tenantId);
        return {
            ...shown('balance', balance),
            ...shown('held', held),
            ...shown('available', balance - held),
            ...shown('spent', spent),
            ...shown('lowCredit', lowCredit),
        };
    }

    /**
     * Adds to a tenant's credits, or takes from them.
     *
     * @param operation Money moves once for it
     * @throws TENANT_NOT_FOUND, ALREADY_DELETED, INSUFFICIENT_CREDITS, BALANCE_LIMIT, IDEMPOTENCY_KEY_REUSED
     */
    async grant(actor: Actor, operation: string, { tenantId, amountMicros, reason }: CreditChange): Promise<Moved> {
        const { store, append, config } = this.#parts;
        const amount = BigInt(amountMicros);
        const type = amount > 0n ? 'credit_add' : 'credit_deduct';
        await this.#expectTenant(tenantId);
        const deed = { id: tenantId, action: 'billing.credit', details: { amountMicros, reason } };
        const record = await inPlatformAudit(append, actor, deed, async (audit) => {
            const granted = await store.grant(tenantId, {
                id: operation,
                amount,
                most: dollars(config.CREDIT_BALANCE_LIMIT),
                entry: scriptEntry({ type, payer: null, fields: { reason } }),
                outbox: { audit: [audit] },
            });
            return sameAs({ amountMicros, reason }, granted.record);
        });
        return { record, credits: await this.credits(tenantId) };
    }

    /**
     * Gives back what an entry of the ledger has charged, or a part of it.
     *
     * @param operation Money moves once for it
     * @throws TENANT_NOT_FOUND, ALREADY_DELETED, BILLING_RECORD_NOT_FOUND, NOT_REFUNDABLE, IDEMPOTENCY_KEY_REUSED
     */
    async refund(actor: Actor, operation: string, order: RefundOrder): Promise<Moved> {
        const { tenantId, recordId, amountMicros, reason } = order;
        const { refunds, append } = this.#parts;
        await this.#expectTenant(tenantId);
        const details = { recordId, ...(amountMicros !== undefined && { amountMicros }), reason };
        const deed = { id: tenantId, action: 'billing.refund', details };
        const record = await inPlatformAudit(append, actor, deed, async (audit) => {
            const refunded = await refunds.refund(tenantId, {
                id: operation,
                recordId,
                ...(amountMicros !== undefined && { amount: BigInt(amountMicros) }),
                entry: scriptEntry({ type: 'refund', payer: null, fields: { recordId, reason } }),
                outbox: { audit: [audit] },
            });
            return sameAs(
                { refundOf: recordId, reason, ...(amountMicros !== undefined && { amountMicros }) },
                refunded,
            );
        });
        return { record, credits: await this.credits(tenantId) };
    }

    /** Gives a new tenant what it begins with, once. */
    async welcome(tenantId: string): Promise<void> {
        const amount: Micros = dollars(this.#parts.config.WELCOME_CREDITS);
        const entry = scriptEntry({ type: 'credit_add', payer: null, fields: { reason: 'Welcome' } });
        await this.#parts.store.grant(tenantId, { id: 'welcome', amount, most: amount, entry, outbox: {} });
    }

    async #expectTenant(tenantId: string): Promise<void> {
        const { deletedAt } = await this.#parts.tenants.get(tenantId);
        if (deletedAt !== null) throw apiError('ALREADY_DELETED');
    }
}

/** The record of an operation, which may be one of before. @throws IDEMPOTENCY_KEY_REUSED when that was another one */
function sameAs(asked: Partial<LedgerRecord>, record: LedgerRecord): LedgerRecord {
    const isSame = Object.entries(asked).every(([name, value]) => record[name as keyof LedgerRecord] === value);
    if (!isSame) throw apiError('IDEMPOTENCY_KEY_REUSED');
    return record;
}
