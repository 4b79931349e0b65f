import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import { createServer, type AddressInfo, type Socket } from 'node:net';

import {
    createWebhookSender,
    newSecret,
    type Resolver,
    type WebhookSenderOptions,
} from '../../plugins/webhooks/sender/index.ts';

import type { TenantEvent } from '../../plugins/events/api.ts';
import type { Destination, WebhookSender } from '../../plugins/webhooks/sender/types.ts';

/** One that takes what it is sent on the way to a receiver, however odd. */
export interface TestPort {
    port: number;
    /** How many connections there were. */
    connections: () => number;
    /** Those that are open now. */
    open: () => number;
    stop: () => Promise<void>;
}

export interface ReceivedPost {
    method: string;
    url: string;
    headers: IncomingHttpHeaders;
    body: string;
}

/** A receiver, and what it was sent. */
export interface TestReceiver extends TestPort {
    posts: ReceivedPost[];
}

/** A server that does with its connections what a test says. */
export async function listenWith(onConnection: (socket: Socket) => void, address = '127.0.0.1'): Promise<TestPort> {
    const server = createServer(onConnection);
    let connections = 0;
    const sockets = new Set<Socket>();
    server.on('connection', (socket) => {
        connections += 1;
        sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => sockets.delete(socket));
    });
    await once(server.listen(0, address), 'listening');
    return {
        port: (server.address() as AddressInfo).port,
        connections: () => connections,
        open: () => sockets.size,
        stop: async () => {
            for (const socket of sockets) socket.destroy();
            await new Promise((resolve) => server.close(resolve));
        },
    };
}

/** A receiver that answers as a test says; 204 unless given. */
export async function startReceiver(
    answer: RequestListener = (_request, response) => response.writeHead(204).end(),
    address?: string,
): Promise<TestReceiver> {
    const posts: ReceivedPost[] = [];
    const http = createHttpServer((request, response) => {
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => chunks.push(chunk));
        request.on('end', () => {
            const { method = '', url = '', headers } = request;
            posts.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
            answer(request, response);
        });
    });
    const port = await listenWith((socket) => http.emit('connection', socket), address);
    return { ...port, posts };
}

/** Gives the addresses that a test names, and counts how often it was asked. */
export interface TestResolver {
    resolver: Resolver;
    asked: () => number;
}

/** @param answers One for each time it is asked; the last again and again */
export function answersInTurn(...answers: string[][]): TestResolver {
    let asked = 0;
    const resolver: Resolver = () => {
        asked += 1;
        return Promise.resolve(answers[Math.min(asked, answers.length) - 1] ?? []);
    };
    return { resolver, asked: () => asked };
}

/** A sender as in production, unless a test says otherwise; names lead to this machine. */
export const testSender = (options: Partial<WebhookSenderOptions> = {}): WebhookSender =>
    createWebhookSender({ allowPrivate: false, resolver: answersInTurn(['127.0.0.1']).resolver, ...options });

/** A sender that may send to this machine. */
export const localSender = (options: Partial<WebhookSenderOptions> = {}): WebhookSender =>
    testSender({ allowPrivate: true, ...options });

export const testEvent = (changes: Partial<TenantEvent> = {}): TenantEvent => ({
    id: 'evt_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    type: 'thread.created',
    timestamp: '2026-11-21T10:30:00.000Z',
    data: { threadId: 'thread_01K9ZQ4V7N8M3T5R2W6X1Y0ABD', title: 'Grüße' },
    ...changes,
});

export const destinationOf = (url: string, changes: Partial<Destination> = {}): Destination => ({
    url,
    format: 'standard',
    mapping: null,
    secrets: [newSecret()],
    ...changes,
});
