import { foldTerm } from '../../src/redis/search-terms.ts';

/** A name of many words is found by the first of them. */
const MAX_WORDS = 10;

/** What a user is found by, by the field it comes from. */
export interface SearchTerms {
    email: string[];
    displayName: string[];
}

export const emailTerms = (email: string): string[] => [foldTerm(email)];

/** The name from each of its words on: `king lovelace` leads to Ada King Lovelace, and so does `love`. */
export function nameTerms(displayName: string): string[] {
    const words = foldTerm(displayName).split(/\s+/u);
    return words.slice(0, MAX_WORDS).map((_word, at) => words.slice(at).join(' '));
}
