/** A stand-in for a model: OpenAI's stream of a few chunks; asked to `hold`, it stops after the first one. */
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

import type { AddressInfo } from 'node:net';

const CHUNKS = 20;

const chunk = (delta: object, finish: string | null = null): string =>
    `data: ${JSON.stringify({ id: 'bench', object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const FIRST = chunk({ role: 'assistant', content: 'word ' });
const REST = `${chunk({ content: 'word ' }).repeat(CHUNKS)}${chunk({}, 'stop')}data: [DONE]\n\n`;

const server = createServer((request, response) => {
    void text(request).then((body) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(FIRST);
        if (!body.includes('hold')) response.end(REST);
    });
});
server.listen(0, '127.0.0.1', () => {
    process.stdout.write(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
