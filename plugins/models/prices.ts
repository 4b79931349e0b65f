import type { Model, ModelPrice } from './call.ts';

/** The prices in force at a time; a day belongs to its price from midnight to midnight, UTC. Null when there are none. */
export function pricesAt({ prices }: Pick<Model, 'prices'>, at: number): ModelPrice | null {
    const today = new Date(at).toISOString().slice(0, 10);
    const isInForce = ({ validFrom, validUntil }: ModelPrice) =>
        (validFrom === null || validFrom <= today) && (validUntil === null || validUntil >= today);
    return prices.find(isInForce) ?? null;
}

/** The prices in force, where all that any call uses has one; null: a call may cost what nobody knows. */
export function knownPriceAt(model: Pick<Model, 'prices'>, at: number): ModelPrice | null {
    const price = pricesAt(model, at);
    return price && isKnown(price) ? price : null;
}

const isKnown = ({ microsPerMillion, aboveInputTokens }: ModelPrice): boolean =>
    [microsPerMillion, ...(aboveInputTokens ? [aboveInputTokens.microsPerMillion] : [])].every(
        ({ input, output }) => input !== null && output !== null,
    );
