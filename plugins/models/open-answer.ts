import type { StreamPart } from './api.ts';

/**
 * Waits until an answer begins. What comes before its first word, thought, tool call or end tells nobody anything; what
 * it fails with until then can still be a refusal.
 */
export async function openAnswer(parts: AsyncIterable<StreamPart>): Promise<AsyncIterable<StreamPart>> {
    const source = parts[Symbol.asyncIterator]();
    let first = await source.next();
    while (!first.done && first.value.type === 'start') first = await source.next();
    return rest(first, source);
}

async function* rest(first: IteratorResult<StreamPart>, source: AsyncIterator<StreamPart>): AsyncGenerator<StreamPart> {
    try {
        for (let next = first; !next.done; next = await source.next()) yield next.value;
    } finally {
        await source.return?.();
    }
}
