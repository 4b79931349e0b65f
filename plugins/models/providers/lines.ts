import { createParser } from 'eventsource-parser';

/** A provider that never ends its line must not fill our memory. */
const MAX_PENDING = 8 * 1024 * 1024;

/** The lines of a body, all that a chunk completes at once, wherever the chunks are cut. */
export async function* lines(body: AsyncIterable<Uint8Array>): AsyncGenerator<string[]> {
    const decoder = new TextDecoder();
    let pending = '';
    for await (const chunk of body) {
        const [first = '', ...others] = decoder.decode(chunk, { stream: true }).split('\n');
        const found = [pending + first, ...others];
        pending = found.pop() ?? '';
        if (pending.length > MAX_PENDING) throw new RangeError('The provider sent a line without an end');
        if (found.length > 0) yield found;
    }
    if (pending !== '') yield [pending];
}

/** The `data` of each server-sent event of a body, all that a chunk completes at once. */
export async function* eventData(body: AsyncIterable<Uint8Array>): AsyncGenerator<string[]> {
    const decoder = new TextDecoder();
    let found: string[] = [];
    const parser = createParser({
        onEvent: ({ data }) => found.push(data),
        onError: (error) => {
            if (error.type === 'max-buffer-size-exceeded') throw error;
        },
        maxBufferSize: MAX_PENDING,
    });
    for await (const chunk of body) {
        parser.feed(decoder.decode(chunk, { stream: true }));
        if (found.length > 0) {
            yield found;
            found = [];
        }
    }
}
