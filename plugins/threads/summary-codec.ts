import { flatHash, isoTime } from '../../src/redis/codec.ts';

/** What stands for the older messages of a context when its model is called. */
export interface Summary {
    text: string;
    tokens: number;
    generatedAt: string;
    modelUsed: string;
    /** Entry of the last message that it covers. */
    upTo: string;
    /** How many messages it covers. */
    count: number;
}

/** Reads the flat `field, value, …` of a summary; null when there is none. */
export function decodeSummary(flat: string[]): Summary | null {
    if (flat.length === 0) return null;
    const { text = '', tokens, generatedAt, modelUsed = '', upTo = '', count } = flatHash(flat);
    return {
        text,
        tokens: Number(tokens),
        generatedAt: isoTime(Number(generatedAt)),
        modelUsed,
        upTo,
        count: Number(count),
    };
}

/** Whether an entry of a stream comes after another; ids are `<milliseconds>-<number>`. */
export function isAfter(id: string, other: string): boolean {
    const [time = 0, number = 0] = id.split('-').map(Number);
    const [otherTime = 0, otherNumber = 0] = other.split('-').map(Number);
    return time === otherTime ? number > otherNumber : time > otherTime;
}
