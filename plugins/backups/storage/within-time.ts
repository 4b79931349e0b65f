import type { Readable } from 'node:stream';

/** The pieces of a stream, which fails when it is waited for too long. How long its reader takes does not count. */
export async function* withinTime(body: Readable, milliseconds: number): AsyncGenerator<Buffer> {
    const pieces: AsyncIterator<Buffer> = body[Symbol.asyncIterator]();
    try {
        for (;;) {
            const timer = setTimeout(() => body.destroy(new Error('No bytes came in time')), milliseconds);
            const next = await pieces.next().finally(() => clearTimeout(timer));
            if (next.done === true) return;
            yield next.value;
        }
    } finally {
        body.destroy();
    }
}
