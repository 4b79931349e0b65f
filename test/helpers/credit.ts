import { scriptEntry } from '../../plugins/billing/entry.ts';
import { BillingStore } from '../../plugins/billing/store.ts';
import { newId } from '../../src/ids.ts';
import { dollars, type Micros } from '../../src/money.ts';

import type { TestApp } from './app.ts';

/** Brings a tenant's balance to so much, whatever it was before. */
export async function setCredit({ store }: Pick<TestApp, 'store'>, tenantId: string, balance: Micros): Promise<void> {
    const billing = new BillingStore(store, Date.now);
    const amount = balance - (await billing.read(tenantId)).balance;
    if (amount === 0n) return;
    const entry = scriptEntry({ type: amount > 0n ? 'credit_add' : 'credit_deduct', payer: null });
    await billing.grant(tenantId, { id: newId('bill'), amount, most: dollars(1_000_000), entry, outbox: {} });
}
