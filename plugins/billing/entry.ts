import { newId } from '../../src/ids.ts';

import type { Micros } from '../../src/money.ts';

/** What a movement in the ledger is for. */
export const ENTRY_TYPES = [
    'vm_create',
    'vm_running',
    'vm_delete',
    'model_usage',
    'tunnel_usage',
    'credit_add',
    'credit_deduct',
    'refund',
    'hold_settled',
] as const;
export type EntryType = (typeof ENTRY_TYPES)[number];

/** Who pays: the tenant, and whose limits of the month it counts against. */
export interface Payer {
    tenantId: string;
    userId: string;
    /** Of the service API key that the request came with. */
    keyId?: string;
}

/** A movement to be written into the ledger. */
export interface EntryDraft {
    type: EntryType;
    /** Null for what nobody but the platform causes. */
    payer: Payer | null;
    /** What the entry says besides: ids, figures as JSON. */
    fields?: Record<string, string>;
    /** What the amount is summed up by besides its payer, as `model:<id>`. */
    sums?: string[];
    /** What else is summed up: name, amount. */
    counts?: Record<string, number>;
    /** What the entry is found by besides its type and user: `thread:<id>`, `vm:<id>`. */
    index?: string[];
}

/** An entry as `move_credits` of `credits.lua` takes it. */
export interface ScriptEntry {
    id: string;
    type: EntryType;
    fields: string[];
    sums: string[];
    counts: string[];
    index: string[];
}

/** A charge as `charge_credits` takes it. */
export interface ScriptCharge {
    /** Of the operation: money moves once for it. */
    id: string;
    amount: string;
    /** What has to be there, where that is more. */
    least?: string;
    who: string[];
    entry: ScriptEntry;
}

/** Who pays for what a request asks for. */
export const payerOf = ({ tenantId, userId, keyId }: Payer): Payer => ({
    tenantId,
    userId,
    ...(keyId !== undefined && { keyId }),
});

/** Whose limits of the month a payment counts against. */
export const limitsOf = ({ userId, keyId }: Payer): string[] => [
    'tenant',
    `user:${userId}`,
    ...(keyId === undefined ? [] : [`key:${keyId}`]),
];

export function scriptEntry({ type, payer, fields = {}, sums = [], counts = {}, index = [] }: EntryDraft): ScriptEntry {
    const of = payer && { userId: payer.userId, ...(payer.keyId !== undefined && { keyId: payer.keyId }) };
    return {
        id: newId('bill'),
        type,
        fields: Object.entries({ ...of, ...fields }).flat(),
        sums: [...(payer ? limitsOf(payer) : ['tenant']), ...sums],
        counts: Object.entries(counts).flatMap(([name, amount]) => [name, String(Math.round(amount))]),
        index: [...(payer ? [`user:${payer.userId}`] : []), ...index],
    };
}

/** @param least What has to be there, where that is more than the amount */
export const scriptCharge = (
    operation: string,
    payer: Payer,
    amount: Micros,
    entry: Omit<EntryDraft, 'payer'>,
    least: Micros = amount,
): ScriptCharge => ({
    id: operation,
    amount: String(amount),
    least: String(least),
    who: limitsOf(payer),
    entry: scriptEntry({ ...entry, payer }),
});
