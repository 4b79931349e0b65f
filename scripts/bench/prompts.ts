/** What the stand-in for a model is told, and what it answers. */

/** It sends one token, and no more. */
export const HOLD = 'hold';
export const MOST_TOKENS = 1_000;
/** As it counts them, whatever it sends: a call of the paid model costs 60 micro-dollars. */
export const USAGE = { prompt_tokens: 100, completion_tokens: 500, total_tokens: 600 };

const DEFAULT_TOKENS = 20;
const WANTED = /tell (\d+) tokens(?: every (\d+) ms)?/;

/** It sends so many tokens, all at once or at a pace. */
export const promptOf = (tokens: number, everyMs = 0): string =>
    `tell ${tokens} tokens${everyMs > 0 ? ` every ${everyMs} ms` : ''}`;

/** What a request asks for with its last message: those before it may be in it as well. */
export function wantedTokens(body: string): { tokens: number; everyMs: number } {
    const [, tokens, everyMs] = WANTED.exec(body.slice(Math.max(0, body.lastIndexOf('tell ')))) ?? [];
    return { tokens: Number(tokens ?? DEFAULT_TOKENS), everyMs: Number(everyMs ?? 0) };
}

const TOKEN = 'word';
const DIGITS = 4;
export const TOKEN_BYTES = TOKEN.length + DIGITS;

/** Each token tells its place. */
export const tokenOf = (place: number): string => `${TOKEN}${String(place).padStart(DIGITS, '0')} `;

/** Where tokens stand in a text, if they are those from the first on, each once and in order. */
export function placesOfTokens(text: string): number[] {
    const places: number[] = [];
    for (let at = text.indexOf(TOKEN); at !== -1; at = text.indexOf(TOKEN, at + TOKEN.length)) {
        const place = Number(text.slice(at + TOKEN.length, at + TOKEN_BYTES));
        if (place !== places.length) throw new Error(`Token ${place} stands where ${places.length} should`);
        places.push(at);
    }
    return places;
}
