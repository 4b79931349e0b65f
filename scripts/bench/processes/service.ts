/** A service behind tunnels, and behind nothing: 1 KB of text, or 64 MiB in pieces. */
import { createServer } from 'node:http';
import { Readable } from 'node:stream';

import { BULK_BYTES, BULK_PATH } from './tunnel-paths.ts';

import type { AddressInfo } from 'node:net';

const SMALL = Buffer.alloc(1_024, 'x');
const PIECE = Buffer.alloc(65_536, 'x');

function* bulk(): Generator<Buffer> {
    for (let sent = 0; sent < BULK_BYTES; sent += PIECE.length) yield PIECE;
}

const server = createServer(({ url }, response) => {
    const isBulk = url === BULK_PATH;
    response.writeHead(200, {
        'content-type': 'application/octet-stream',
        'content-length': isBulk ? BULK_BYTES : SMALL.length,
    });
    if (!isBulk) return response.end(SMALL);
    return Readable.from(bulk(), { objectMode: false }).pipe(response);
});
server.listen(0, '127.0.0.1', () => {
    process.stdout.write(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
