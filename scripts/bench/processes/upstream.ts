/**
 * A stand-in for a model that speaks OpenAI's Chat Completions, as lean as can be, because it shares a processor with
 * the load: all that it sends is made beforehand. A token is an event of its own in a write of its own, as providers
 * send it. What is answered stands in the last message: see `prompts.ts`.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

import { HOLD, MOST_TOKENS, tokenOf, USAGE, wantedTokens } from '../prompts.ts';

import type { AddressInfo, Socket } from 'node:net';

/** How closely the pace is kept. */
const TICK_MS = 5;

const HEAD = { id: 'chatcmpl-bench4Xc0aWq9sT1mZpLdEoUy2', created: 1_790_000_000, model: 'bench' };
const REST = { service_tier: 'default', system_fingerprint: 'fp_benchmark1' };

/** An event in a frame of chunked transfer coding (RFC 9112, 7.1). */
const framed = (data: string): Buffer => {
    const event = `data: ${data}\n\n`;
    return Buffer.from(`${Buffer.byteLength(event).toString(16)}\r\n${event}\r\n`);
};
const chunk = (choices: object[], usage: object | null = null): Buffer =>
    framed(JSON.stringify({ ...HEAD, object: 'chat.completion.chunk', ...REST, choices, usage }));
const piece = (delta: object, finish: string | null = null): Buffer =>
    chunk([{ index: 0, delta, logprobs: null, finish_reason: finish }]);

const ROLE = piece({ role: 'assistant', content: '', refusal: null });
const TOKENS = Array.from({ length: MOST_TOKENS }, (_, n) => piece({ content: tokenOf(n) }));
const END = Buffer.concat([piece({}, 'stop'), chunk([], USAGE), framed('[DONE]')]);

interface Stream {
    socket: Socket;
    response: ServerResponse;
    tokens: number;
    sent: number;
    everyMs: number;
    began: number;
}

const paced = new Set<Stream>();

function sendStream(response: ServerResponse, tokens: number, everyMs: number, isHeld: boolean): void {
    const { socket } = response;
    if (!socket) return;
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'transfer-encoding': 'chunked' });
    response.flushHeaders();
    socket.write(ROLE);
    const stream = { socket, response, tokens, sent: 0, everyMs, began: performance.now() };
    const isAtOnce = everyMs === 0 && !isHeld;
    send(stream, isAtOnce ? tokens : 1);
    if (isAtOnce || isHeld) return;
    paced.add(stream);
    response.once('close', () => paced.delete(stream));
}

/** Sends the tokens up to one; with the last of them the end. */
function send(stream: Stream, upTo: number): void {
    for (; stream.sent < Math.min(upTo, stream.tokens); stream.sent++) stream.socket.write(TOKENS[stream.sent] ?? '');
    if (stream.sent < stream.tokens) return;
    paced.delete(stream);
    stream.socket.write(END);
    stream.response.end();
}

setInterval(() => {
    const now = performance.now();
    for (const stream of paced) send(stream, 1 + Math.floor((now - stream.began) / stream.everyMs));
}, TICK_MS);

const wholes = new Map<number, Buffer>();

function wholeOf(tokens: number): Buffer {
    const content = Array.from({ length: tokens }, (_, n) => tokenOf(n)).join('');
    const message = { role: 'assistant', content, refusal: null };
    const choices = [{ index: 0, message, logprobs: null, finish_reason: 'stop' }];
    return Buffer.from(JSON.stringify({ ...HEAD, object: 'chat.completion', ...REST, choices, usage: USAGE }));
}

function sendWhole(response: ServerResponse, tokens: number): void {
    const body = wholes.get(tokens) ?? wholeOf(tokens);
    wholes.set(tokens, body);
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
}

function answer(request: IncomingMessage, response: ServerResponse): void {
    const pieces: Buffer[] = [];
    request.on('data', (data: Buffer) => void pieces.push(data));
    request.on('end', () => {
        const body = Buffer.concat(pieces).toString('latin1');
        const { tokens, everyMs } = wantedTokens(body);
        if (body.includes('"stream":true')) sendStream(response, tokens, everyMs, body.includes(HOLD));
        else sendWhole(response, tokens);
    });
}

const server = createServer(answer);
server.listen(0, '127.0.0.1', () => {
    process.stdout.write(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
