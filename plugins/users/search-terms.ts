import { foldTerm } from '../../src/redis/search-terms.ts';

/** What a user is found by, by the field it comes from. */
export interface SearchTerms {
    email: string[];
    displayName: string[];
}

export const emailTerms = (email: string): string[] => [foldTerm(email)];
