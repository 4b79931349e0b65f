/** How many words of one text are kept to find it by. */
const MAX_WORDS = 500;

/** Letters, digits and their marks; a run of more than 64 is taken in parts, here as in the search for it. */
const WORD = /[\p{L}\p{N}\p{M}]{1,64}/gu;

/** The form in which terms are kept and compared; NUL ends a term. */
export const foldTerm = (text: string): string => text.normalize('NFKC').toLowerCase().replaceAll('\0', ' ').trim();

/** The different words of a text, folded, in their order. */
export const wordsOf = (text: string): string[] => [...new Set(foldTerm(text).match(WORD))].slice(0, MAX_WORDS);
