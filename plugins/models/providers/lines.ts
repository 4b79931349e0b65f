import { createParser } from 'eventsource-parser';

/** A provider that never ends its line must not fill our memory. */
const MAX_PENDING = 8 * 1024 * 1024;

/** The lines of a body, all that a chunk completes at once, wherever the chunks are cut. */
export async function* lines(body: AsyncIterable<Buffer>): AsyncGenerator<string[]> {
    const decoder = new TextDecoder();
    let pending = '';
    for await (const chunk of body) {
        pending += decoder.decode(chunk, { stream: true });
        if (pending.length > MAX_PENDING) throw new RangeError('The provider sent a line without an end');
        const found = pending.split('\n');
        pending = found.pop() ?? '';
        if (found.length > 0) yield found;
    }
    if (pending !== '') yield [pending];
}

/** The `data` of each server-sent event of a body, all that a chunk completes at once. */
export async function* eventData(body: AsyncIterable<Buffer>): AsyncGenerator<string[]> {
    const decoder = new TextDecoder();
    let found: string[] = [];
    const parser = createParser({ onEvent: ({ data }) => found.push(data), maxBufferSize: MAX_PENDING });
    for await (const chunk of body) {
        parser.feed(decoder.decode(chunk, { stream: true }));
        if (found.length > 0) {
            yield found;
            found = [];
        }
    }
    parser.reset({ consume: true });
    if (found.length > 0) yield found;
}
