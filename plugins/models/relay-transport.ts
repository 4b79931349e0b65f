import { withHeader } from '../../src/relay/headers.ts';

import type { ModelSource, ModelUser } from './api.ts';
import type { Transport } from './providers/transport.ts';
import type { Headers } from '../../src/relay/types.ts';

/** To what is behind a user's record. Failures are the source's. */
export const overRelay =
    (source: ModelSource, user: ModelUser, id: string): Transport =>
    async ({ method, path, headers: given = {}, body, signal }) => {
        const bytes = body === undefined ? null : Buffer.from(body);
        const length: Headers = bytes ? [['content-length', String(bytes.length)]] : [];
        // Providers know a request by the one header, services of users by the other.
        const asked = withHeader([...Object.entries(given), ...length], 'x-request-id', given['x-client-request-id']);
        const { headers, ...answer } = await source.request(user, id, {
            head: { method, path, headers: asked },
            body: bytes && once(bytes),
            gone: signal,
        });
        return { ...answer, headers: Object.fromEntries(headers) };
    };

// oxlint-disable-next-line typescript/require-await -- a body comes asynchronously
async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    yield bytes;
}
