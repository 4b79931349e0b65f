import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

import type { AddressInfo } from 'node:net';

/** What is said to the model has it answer at once, word by word, with one word only, or not at all. */
export const SAY = { quick: 'quick', slow: 'slow', hold: 'hold', break: 'break', refuse: 'refuse' };
/** The words of a whole answer. */
export const WORDS = 20;

const PAUSE_MS = 50;
const USAGE = { prompt_tokens: 12, completion_tokens: WORDS, total_tokens: 12 + WORDS };

const eventOf = (more: object): string =>
    `data: ${JSON.stringify({ id: 'soak', object: 'chat.completion.chunk', choices: [], ...more })}\n\n`;
const word = (n: number): string =>
    eventOf({ choices: [{ index: 0, delta: { content: `w${n} ` }, finish_reason: null }] });
const end = `${eventOf({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })}${eventOf({ usage: USAGE })}data: [DONE]\n\n`;

export interface Model {
    url: string;
    /** Answers that are on their way. */
    open: () => number;
    stop: () => void;
}

/** A stand-in for OpenAI's models, of which the last thing that was said tells what it does. */
export async function startModel(): Promise<Model> {
    let open = 0;
    const server = createServer((request, response) => {
        open++;
        response.once('close', () => open--);
        void text(request)
            .then((body) => answer(response, JSON.parse(body) as Request))
            .catch(() => response.destroy());
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return {
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        open: () => open,
        stop: () => {
            server.close();
            server.closeAllConnections();
        },
    };
}

interface Request {
    stream?: boolean;
    messages: { content: unknown }[];
}

async function answer(response: ServerResponse, { stream = false, messages }: Request): Promise<void> {
    const said = JSON.stringify(messages.at(-1)?.content);
    const isTold = (what: string): boolean => said.includes(what);
    if (isTold(SAY.refuse)) {
        response.writeHead(400, { 'content-type': 'application/json' });
        return void response.end('{"error":{"message":"No","type":"invalid_request_error"}}');
    }
    if (!stream) {
        const content = Array.from({ length: WORDS }, (_, n) => `w${n} `).join('');
        const choices = [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }];
        response.writeHead(200, { 'content-type': 'application/json' });
        return void response.end(JSON.stringify({ id: 'soak', object: 'chat.completion', choices, usage: USAGE }));
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(word(0));
    if (isTold(SAY.hold)) return;
    if (isTold(SAY.break)) {
        await sleep(PAUSE_MS);
        return void response.destroy();
    }
    for (let n = 1; n < WORDS && !response.destroyed; n++) {
        if (isTold(SAY.slow)) await sleep(PAUSE_MS);
        response.write(word(n));
    }
    response.end(end);
}
