import { costOf } from './cost.ts';
import { limitsOf, scriptEntry, type Payer, type ScriptEntry } from './entry.ts';

import type { Micros } from '../../src/money.ts';
import type { ModelPrice, Usage } from '../models/api.ts';
import type { EndedCall } from '../usage/api.ts';

/** What has to be known to settle the call of a model, by whichever process: it survives as JSON. */
export interface BillRecord {
    /** Of the hold, and of the operation. */
    id: string;
    payer: Payer;
    /** By model, for the one that is asked and those in its place; null: it costs the tenant nothing. */
    prices: Record<string, ModelPrice | null>;
    /** Of the catalogue that the prices are from. */
    priceVersion: string;
    /** What the ledger says the call was for. */
    about: { requestId: string; threadId?: string; messageId?: string };
}

/** A settlement as `settle_hold` of `holds.lua` takes it. */
export interface ScriptSettlement {
    id: string;
    cost: string;
    entry: ScriptEntry;
}

/** A hold as `take_hold` takes it. */
export interface ScriptHold {
    id: string;
    want: string;
    least: string;
    /** Milliseconds */
    lease: number;
    who: string[];
    /** What the ledger says if the process dies. */
    entry: ScriptEntry;
}

/** A process renews its holds in time; those of one that died are settled that long after it. */
export const HOLD_LEASE_MS = 60_000;

export const scriptHold = (record: BillRecord, modelId: string, want: Micros, least: Micros): ScriptHold => ({
    id: record.id,
    want: String(want),
    least: String(least),
    lease: HOLD_LEASE_MS,
    who: limitsOf(record.payer),
    entry: entryOf(record, modelId, null, true),
});

/** What of a call's usage is paid: nothing when it failed before its first token, or was broken off by us. */
export const payableUsage = (outcome: EndedCall['outcome'], hasBegun: boolean, usage: Usage | null): Usage | null =>
    hasBegun || outcome === 'complete' || outcome === 'cancelled' ? usage : null;

/**
 * What a call has to pay that has ended.
 *
 * @param modelId Of the model that answered
 * @param usage Null: it was refused before it used anything
 */
export function settlementOf(record: BillRecord, modelId: string, usage: Usage | null): ScriptSettlement {
    const price = record.prices[modelId] ?? null;
    const cost = price && usage ? costOf(price, usage) : { micros: 0n, isEstimated: false };
    return {
        id: record.id,
        cost: String(cost.micros),
        entry: entryOf(record, modelId, usage, cost.isEstimated),
    };
}

function entryOf(
    { payer, priceVersion, prices, about }: BillRecord,
    modelId: string,
    usage: Usage | null,
    isEstimated: boolean,
): ScriptEntry {
    const { requestId, threadId, messageId } = about;
    const model = `model:${modelId}`;
    return scriptEntry({
        type: 'model_usage',
        payer,
        fields: {
            modelId,
            requestId,
            priceVersion,
            priceFrom: prices[modelId]?.validFrom ?? '',
            ...(threadId !== undefined && { threadId }),
            ...(messageId !== undefined && { messageId }),
            ...(usage && { usage: JSON.stringify(usage) }),
            ...(isEstimated && { isEstimated: '1' }),
        },
        sums: [model],
        counts: {
            [`${model}:calls`]: 1,
            ...(usage && {
                [`${model}:inputTokens`]: usage.inputFresh + usage.cacheRead + usage.cacheWrite,
                [`${model}:outputTokens`]: usage.output,
            }),
        },
        index: threadId === undefined ? [] : [`thread:${threadId}`],
    });
}
