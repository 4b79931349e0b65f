/** How many words of one text are kept to find it by. */
const MAX_WORDS = 500;

/** Letters, digits and their marks; a run of more than 64 is taken in parts, here as in the search for it. */
const WORD = /[\p{L}\p{N}\p{M}]{1,64}/gu;

/** The form in which terms are kept and compared; NUL ends a term. */
export const foldTerm = (text: string): string => text.normalize('NFKC').toLowerCase().replaceAll('\0', ' ').trim();

/** The different words of a text, folded, in their order. */
export const wordsOf = (text: string): string[] => [...new Set(foldTerm(text).match(WORD))].slice(0, MAX_WORDS);

/** A name of many words is found by the first of them. */
const MAX_NAME_WORDS = 10;

/** A name from each of its words on: `king lovelace` leads to Ada King Lovelace, and so does `love`. */
export function nameTerms(name: string): string[] {
    const words = foldTerm(name).split(/\s+/u);
    return words.slice(0, MAX_NAME_WORDS).map((_word, at) => words.slice(at).join(' '));
}
