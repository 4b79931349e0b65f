import type { Model, ModelPrice } from './call.ts';

/** The prices in force at a time; a day belongs to its price from midnight to midnight, UTC. Null when there are none. */
export function pricesAt({ prices }: Pick<Model, 'prices'>, at: number): ModelPrice | null {
    const today = new Date(at).toISOString().slice(0, 10);
    const isInForce = ({ validFrom, validUntil }: ModelPrice) =>
        (validFrom === null || validFrom <= today) && (validUntil === null || validUntil >= today);
    return prices.find(isInForce) ?? null;
}
