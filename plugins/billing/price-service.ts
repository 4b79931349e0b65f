import { shown, type Shown } from './amounts.ts';
import { pricesAt, type Model, type ModelPrice, type ModelService, type TokenPrices } from '../models/api.ts';

import type { UnitPrice } from './api.ts';
import type { Clock } from '../../src/clock.ts';

/** What a model costs in some stretch of time; micro-dollars per million tokens. */
export interface PublicPrice {
    /** False: it is announced. */
    isInForce: boolean;
    validFrom: string | null;
    validUntil: string | null;
    microsPerMillion: PriceTable;
    aboveInputTokens: { tokens: number; microsPerMillion: PriceTable } | null;
}

type PriceTable = Record<'input' | 'output' | 'cacheRead' | 'cacheWrite', number | null>;

export interface PriceBook {
    version: string;
    models: { modelId: string; isPaid: boolean; prices: PublicPrice[] }[];
    /** Of all else. */
    units: PublicUnitPrice[];
}

interface PublicUnitPrice extends Omit<UnitPrice, 'amount'>, Shown<'amount'> {}

/** What the models cost, now and as it is announced, and what other features sell. */
export class PriceService {
    readonly #models: Pick<ModelService, 'all' | 'version' | 'keyName'>;
    readonly #clock: Clock;
    readonly #units: PublicUnitPrice[] = [];

    constructor(models: Pick<ModelService, 'all' | 'version' | 'keyName'>, clock: Clock) {
        this.#models = models;
        this.#clock = clock;
    }

    add(prices: UnitPrice[]): void {
        this.#units.push(...prices.map(({ amount, ...what }) => ({ ...what, ...shown('amount', amount) })));
    }

    book(): PriceBook {
        const at = this.#clock();
        const models = this.#models.all().map((model) => ({
            modelId: model.id,
            isPaid: this.#models.keyName(model) !== null,
            prices: pricesOf(model, at),
        }));
        return { version: this.#models.version, models, units: this.#units };
    }
}

/** Those that are in force, and those to come, in the order of time. */
function pricesOf(model: Model, at: number): PublicPrice[] {
    const inForce = pricesAt(model, at);
    const today = new Date(at).toISOString().slice(0, 10);
    const isToCome = ({ validFrom }: ModelPrice) => validFrom !== null && validFrom > today;
    return model.prices
        .filter((price) => price === inForce || isToCome(price))
        .toSorted((a, b) => ((a.validFrom ?? '') < (b.validFrom ?? '') ? -1 : 1))
        .map((price) => ({
            isInForce: price === inForce,
            validFrom: price.validFrom,
            validUntil: price.validUntil,
            microsPerMillion: tableOf(price.microsPerMillion),
            aboveInputTokens: price.aboveInputTokens
                ? {
                      tokens: price.aboveInputTokens.tokens,
                      microsPerMillion: tableOf(price.aboveInputTokens.microsPerMillion),
                  }
                : null,
        }));
}

/** Tokens of a kind without a price of its own are charged as input. */
const tableOf = ({ input, output, cacheRead, cacheWrite5m }: TokenPrices): PriceTable => ({
    input,
    output,
    cacheRead: cacheRead ?? input,
    cacheWrite: cacheWrite5m ?? input,
});
