import { costOf, isFree, payableOutput } from './cost.ts';
import { scriptHold, type BillRecord, type ScriptHold } from './model-bill.ts';
import { apiError } from '../../src/http/errors.ts';
import { knownPriceAt, type ModelCall, type ModelService } from '../models/api.ts';

import type { Payer } from './entry.ts';
import type { Micros } from '../../src/money.ts';
import type { Logger } from '../../src/telemetry/logger.ts';

/** A hold covers so many output tokens at first, and each time that it is raised. */
const STEP_TOKENS = 2_048;
/** It is raised when fewer than that are left. */
const MARGIN_TOKENS = 1_024;
/** A call that could say less than that is refused. */
const LEAST_TOKENS = 64;
/** Texts may have that many times the tokens that were estimated. */
const INPUT_BOUND = 2;
/** What a hold has, and what could be had besides. */
export interface Held {
    amount: Micros;
    rest: Micros;
}

/** Where holds are kept. */
export interface HoldKeeper {
    /** Null when the hold is not there any more. */
    keep(bill: Bill, change: { used?: Micros; target?: Micros }): Promise<Held | null>;
    add(bill: Bill): void;
    remove(bill: Bill): void;
}

export interface BillParts {
    models: Pick<ModelService, 'keyName' | 'estimateUsage' | 'version'>;
    keeper: HoldKeeper;
    logger: Logger;
    at: number;
    /** All that it has used is noted whenever its hold is renewed; else what its caller has noted, and no more. */
    isNoted: boolean;
}

/** What a call may cost from its beginning on. */
interface Estimate {
    input: number;
    /** More than it will ever have. */
    inputBound: number;
    /** Output tokens that it may ask for; null is not known. */
    most: number | null;
}

/** The paid call of a model: what is held for it, what it has used, and how far it may go. */
export class Bill {
    readonly record: BillRecord;
    readonly hold: ScriptHold;
    /** Aborted when the credits do not last for more output. */
    readonly exhausted: AbortSignal;

    readonly #parts: BillParts;
    readonly #calls: ModelCall[];
    /** By model: what is known of a call does not change with each of its tokens. */
    readonly #estimates: Map<string, Estimate>;
    readonly #exhaustion = new AbortController();
    #held: Micros = 0n;
    #used: Micros = 0n;
    #isRaising = false;
    #isDry = false;
    #isClosed = false;
    /** What is paid if the process dies. */
    #noted: Micros = 0n;

    private constructor(parts: BillParts, record: BillRecord, calls: [ModelCall, ...ModelCall[]]) {
        this.#parts = parts;
        this.#calls = calls;
        this.#estimates = new Map(calls.map((call) => [call.model.id, estimateOf(parts, call)]));
        this.record = record;
        this.exhausted = this.#exhaustion.signal;
        const [asked] = calls;
        const wants = calls.map((call) => this.#worst(call, STEP_TOKENS));
        const want = wants.reduce((most, one) => (one > most ? one : most));
        this.hold = scriptHold(record, asked.model.id, want, this.#worst(asked, LEAST_TOKENS));
    }

    /**
     * The bill of a call and of those that are made in its place; null when none of them costs the tenant anything:
     * local models, and those that the user has an API key of his own for.
     *
     * @throws PRICE_UNKNOWN
     */
    static of(
        parts: BillParts,
        { id, payer, about }: Pick<BillRecord, 'id' | 'about'> & { payer: Payer },
        calls: [ModelCall, ...ModelCall[]],
    ): Bill | null {
        const prices = calls.map((call) => priceOf(parts, call));
        if (prices[0] === undefined) {
            throw apiError('PRICE_UNKNOWN', { details: { model: calls[0].model.id } });
        }
        if (prices.every((price) => price === null || (price && isFree(price)))) return null;
        const [asked, ...others] = calls;
        const payable: [ModelCall, ...ModelCall[]] = [asked, ...others.filter((_, n) => prices[n + 1] !== undefined)];
        const byModel = calls.flatMap(({ model }, n) => {
            const price = prices[n];
            return price === undefined ? [] : [[model.id, price] as const];
        });
        const record = {
            id,
            payer,
            about,
            prices: Object.fromEntries(byModel),
            priceVersion: parts.models.version,
        };
        const bill = new Bill(parts, record, payable);
        return bill.hold.want === '0' ? null : bill;
    }

    /** What is to be paid if the process dies, by estimate. */
    get noted(): Micros {
        return this.#parts.isNoted ? this.#used : this.#noted;
    }

    /** Notes all that came so far, before somebody gets it: that is paid then, though the process dies. */
    async note(): Promise<void> {
        if (this.#isClosed || this.#used === this.#noted) return;
        this.#noted = this.#used;
        await this.#keep({ used: this.#noted });
    }

    /** What is held now; from here on it is renewed until it is settled. */
    taken({ amount, rest }: Held): [ModelCall, ...ModelCall[]] {
        this.#held = amount;
        this.#parts.keeper.add(this);
        const [asked, ...others] = this.#calls.flatMap((call) => this.#limited(call, amount + rest) ?? []);
        // The hold has at least what the first needs.
        if (!asked) throw new Error('A hold does not cover its call');
        return [asked, ...others];
    }

    /**
     * Told as the answer comes.
     *
     * @param modelId Of the model that answers
     * @param tokens Of output so far, by estimate
     */
    produced(modelId: string, tokens: number): void {
        const price = this.record.prices[modelId];
        const estimate = this.#estimates.get(modelId);
        if (!price || !estimate) return;
        const cost = (output: number) => costOf(price, usageOf(estimate.input, output)).micros;
        // No more than the call may have in all.
        const ahead = (more: number) => cost(Math.max(tokens, Math.min(tokens + more, estimate.most ?? Infinity)));
        this.#used = cost(tokens);
        // Where there was no more the last time, what is held is used up before it is asked for once more.
        const needed = this.#isDry ? this.#used + 1n : ahead(MARGIN_TOKENS);
        if (needed > this.#held) void this.#raise(ahead(STEP_TOKENS));
    }

    /** Whether a call failed with that because its credits were used up: what came is then the answer. */
    isExhaustion(error: unknown): boolean {
        return this.exhausted.aborted && error === this.exhausted.reason;
    }

    /** It has ended: its hold is not renewed any more. */
    close(): void {
        this.#isClosed = true;
        this.#parts.keeper.remove(this);
    }

    /** Asks for more; ends the call when what it has used is all that there is. */
    async #raise(target: Micros): Promise<void> {
        if (this.#isRaising || this.#isClosed) return;
        this.#isRaising = true;
        const held = await this.#keep({ used: this.noted, target });
        if (held) this.#held = held.amount;
        this.#isDry = !held || held.amount < target;
        this.#isRaising = false;
        if (this.#isDry && this.#used >= this.#held) this.#exhaustion.abort(new Error('The credits are used up'));
    }

    async #keep(change: { used?: Micros; target?: Micros }): Promise<Held | null> {
        try {
            return await this.#parts.keeper.keep(this, change);
        } catch (error) {
            this.#parts.logger.warn(
                { module: 'billing', holdId: this.record.id, err: error },
                'A hold was not kept up',
            );
            return null;
        }
    }

    /** The call with no more output than can be paid; null when that is too little. */
    #limited(call: ModelCall, amount: Micros): ModelCall | null {
        const price = this.record.prices[call.model.id];
        if (!price) return call;
        const { inputBound, most } = this.#estimateOf(call);
        const payable = payableOutput(price, inputBound, amount);
        if (payable === null || (most !== null && payable >= most)) return call;
        if (payable < Math.min(LEAST_TOKENS, most ?? LEAST_TOKENS)) return null;
        if (most === null && payable >= call.model.contextLength) return call;
        return { ...call, parameters: { ...call.parameters, maxTokens: payable } };
    }

    /** The most that a call with so much output costs. */
    #worst(call: ModelCall, output: number): Micros {
        const price = this.record.prices[call.model.id];
        if (!price) return 0n;
        const { inputBound, most } = this.#estimateOf(call);
        return costOf(price, usageOf(inputBound, Math.min(output, most ?? output))).micros;
    }

    #estimateOf({ model }: ModelCall): Estimate {
        const estimate = this.#estimates.get(model.id);
        if (!estimate) throw new Error(`The bill has no call of ${model.id}`);
        return estimate;
    }
}

function estimateOf({ models }: BillParts, call: ModelCall): Estimate {
    const input = models.estimateUsage(call, '').inputFresh;
    return { input, inputBound: input * INPUT_BOUND, most: call.parameters.maxTokens ?? call.model.maxOutput };
}

const usageOf = (inputFresh: number, output: number) => ({
    inputFresh,
    cacheRead: 0,
    cacheWrite: 0,
    output,
    isEstimated: true,
});

/** Undefined: nobody knows what it costs; null: it costs the tenant nothing. */
function priceOf({ models, at }: BillParts, { model, apiKey }: ModelCall) {
    if (apiKey !== undefined || models.keyName(model) === null) return null;
    return knownPriceAt(model, at) ?? undefined;
}
