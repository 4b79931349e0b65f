import type { StreamPart } from './api.ts';

/** An answer that has begun: its first batch, and where the others come from. */
export interface Begun {
    first: IteratorResult<StreamPart[]>;
    source: AsyncIterator<StreamPart[]>;
}

/**
 * Waits until an answer begins. What comes before its first word, thought, tool call or end tells nobody anything; what
 * it fails with until then can still be a refusal.
 */
export async function openAnswer(batches: AsyncIterable<StreamPart[]>): Promise<Begun> {
    const source = batches[Symbol.asyncIterator]();
    let first = await source.next();
    while (!first.done && first.value.every(({ type }) => type === 'start')) first = await source.next();
    if (!first.done) first.value = first.value.filter(({ type }) => type !== 'start');
    return { first, source };
}
