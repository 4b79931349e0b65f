/** What came over the wire is whatever the other side sent: these read it without believing it. */

/** @throws {Error} That does not repeat the text, which may be a user's */
export function parseObject(text: string): object {
    let value: unknown;
    try {
        value = JSON.parse(text);
    } catch {
        value = null;
    }
    if (typeof value !== 'object' || value === null) throw new Error('The provider sent what is not a JSON object');
    return value;
}

/** A text with something in it. */
export const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** Whether a value can be a number of tokens. */
export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

export const countOf = (value: unknown): number => (isCount(value) ? value : 0);
