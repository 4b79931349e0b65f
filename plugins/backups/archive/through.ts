import { pipeline } from 'node:stream/promises';

import type { Transform } from 'node:stream';

/** What a transform makes of a stream, asked for piece by piece. Ending it early ends both. */
export async function* through(source: AsyncIterable<Buffer>, transform: Transform): AsyncGenerator<Buffer> {
    // What it fails of comes out of the transform too, and is thrown from there.
    pipeline(source, transform).catch(() => undefined);
    yield* transform;
}
