const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** A number of up to so many times five bits in Crockford's base 32, as ULIDs have it. */
export function toCrockford(value: bigint, characters: number): string {
    let rest = value;
    let text = '';
    for (let n = 0; n < characters; n++) {
        text = ALPHABET.charAt(Number(rest & 31n)) + text;
        rest >>= 5n;
    }
    return text;
}

/** Back again, of a text that has no other characters. */
export function fromCrockford(text: string): bigint {
    let value = 0n;
    for (const character of text) value = (value << 5n) | BigInt(ALPHABET.indexOf(character));
    return value;
}
