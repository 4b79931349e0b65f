import { wordsOf } from '../../src/redis/search-terms.ts';

/** What a thread is found by, by the field it comes from: `title`, and `summary:<model>` of each of its contexts. */
export type ThreadTerms = Record<string, string[]>;

export const titleTerms = (title: string | null): ThreadTerms => ({ title: wordsOf(title ?? '') });

/** @param summary Null when there is none any more */
export const summaryTerms = (modelId: string, summary: string | null): ThreadTerms => ({
    [`summary:${modelId}`]: wordsOf(summary ?? ''),
});
