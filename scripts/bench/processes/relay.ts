/** What any gateway must do at least: bare node:http that passes a request on by undici, and the answer back. */
import { createServer } from 'node:http';

import { Agent } from 'undici';

import type { AddressInfo } from 'node:net';

const upstream = process.env.UPSTREAM ?? '';
const dispatcher = new Agent();

const server = createServer((request, response) => {
    const { method = 'POST', url = '/', headers } = request;
    const passedOn = { 'content-type': headers['content-type'] ?? 'application/json' };
    const relayed = dispatcher.request({ origin: upstream, path: url, method, headers: passedOn, body: request });
    void relayed.then(({ statusCode, headers: { 'content-type': type = '' }, body }) => {
        response.writeHead(statusCode, { 'content-type': String(type) });
        body.pipe(response);
    });
});
server.listen(0, '127.0.0.1', () => {
    process.stdout.write(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
