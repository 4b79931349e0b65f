import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

import { packageRoot } from '../../src/package-root.ts';

import type { AddressInfo } from 'node:net';

/** A point of an answer at which the stand-in waits for the test. */
export interface Hold {
    /** Resolved when the stand-in is there: everything before it was written. */
    reached: Promise<void>;
    release: () => void;
    /** Called by the stand-in. */
    arrive: () => Promise<void>;
}

/** Bytes, a pause in milliseconds, a point to wait at, or `cut`, which breaks the connection there. */
export type Step = string | Buffer | number | Hold | typeof cut;

/** What the stand-in answers: 200 without headers of its own unless given. */
export interface ProviderAnswer {
    status?: number;
    headers?: Record<string, string>;
    steps?: Step[];
}

export interface ProviderRequest {
    method: string;
    path: string;
    headers: IncomingHttpHeaders;
    /** JSON parsed; null without a body. */
    // oxlint-disable-next-line typescript/no-explicit-any -- a test says what it expects of a request
    body: any;
    /** Resolved when the client went away before the answer was whole. */
    aborted: Promise<void>;
    isAborted: boolean;
}

/** A stand-in for a model provider: real HTTP, and a script instead of a model. */
export interface Provider {
    url: string;
    requests: ProviderRequest[];
    /** How many TCP connections were made. */
    connections: number;
    /** Scripts every answer from now on. */
    answer: (answer: ProviderAnswer | ((request: ProviderRequest) => ProviderAnswer)) => void;
    stop: () => Promise<void>;
}

export const cut = Symbol('cut');

/** A point to put between two chunks; each serves for one answer. */
export function hold(): Hold {
    let reach = (): void => undefined;
    let release = (): void => undefined;
    const reached = new Promise<void>((resolve) => (reach = resolve));
    const released = new Promise<void>((resolve) => (release = resolve));
    return {
        reached,
        release,
        arrive: () => {
            reach();
            return released;
        },
    };
}

/** The stream of that name, in a provider's exact form. */
export const fixture = (name: string): Buffer => readFileSync(join(packageRoot(), 'test', 'fixtures', name));

export async function startProvider(first: ProviderAnswer = {}): Promise<Provider> {
    let script: (request: ProviderRequest) => ProviderAnswer = () => first;
    const server = createServer((incoming, response) => void serve(incoming, response));
    const provider: Provider = {
        url: '',
        requests: [],
        connections: 0,
        answer: (answer) => (script = typeof answer === 'function' ? answer : () => answer),
        stop: async () => {
            server.closeAllConnections();
            if (server.listening) await once(server.close(), 'close');
        },
    };
    async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
        const request = await receive(incoming, response);
        provider.requests.push(request);
        const { status = 200, headers = {}, steps = [] } = script(request);
        response.writeHead(status, headers).flushHeaders();
        for (const step of steps) {
            await Promise.race([play(step, response), request.aborted]);
            if (response.destroyed) return;
        }
        response.end();
    }
    server.on('connection', () => provider.connections++);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    provider.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return provider;
}

async function receive(incoming: IncomingMessage, response: ServerResponse): Promise<ProviderRequest> {
    const { method = '', url = '', headers } = incoming;
    const body = await text(incoming);
    const request = { method, path: url, headers, body: body === '' ? null : JSON.parse(body), isAborted: false };
    const aborted = new Promise<void>((resolve) => {
        response.once('close', () => {
            if (response.writableFinished || response.errored) return;
            received.isAborted = true;
            resolve();
        });
    });
    const received: ProviderRequest = Object.assign(request, { aborted });
    return received;
}

async function play(step: Step, response: ServerResponse): Promise<void> {
    if (step === cut) response.destroy(new Error('The script cuts the connection'));
    else if (typeof step === 'number') await sleep(step);
    else if (typeof step === 'object' && 'arrive' in step) await step.arrive();
    else await new Promise<void>((resolve) => response.write(step, () => resolve()));
}
