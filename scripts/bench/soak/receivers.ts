import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

import { SMTPServer } from 'smtp-server';
import { Webhook } from 'standardwebhooks';

import type { AddressInfo } from 'node:net';

/** Where webhooks are sent to. */
export interface Receiver {
    /** An address of one webhook's own; a flaky one fails at the first attempt of some deliveries. */
    addressOf: (name: string, isFlaky: boolean) => string;
    /** With what its deliveries are signed. */
    trust: (name: string, secret: string) => void;
    /** How many deliveries came well signed, each counted once. */
    receivedBy: (name: string) => number;
    forget: (name: string) => void;
    stop: () => void;
}

const FAILS_ONE_IN = 4;

/** @param onWrong Told of what is not signed as it should be */
export async function startReceiver(onWrong: (error: Error) => void): Promise<Receiver> {
    const secrets = new Map<string, string>();
    const received = new Map<string, Set<string>>();
    const begun = new Set<string>();
    const failsNow = (id: string): boolean => {
        if (begun.has(id)) return false;
        begun.add(id);
        return begun.size % FAILS_ONE_IN === 0;
    };
    const take = (path: string, headers: Record<string, string>, body: string): number => {
        const [, kind, name = ''] = path.split('/');
        // The test of an address comes before its secret is known; what is on its way after a deletion comes too late.
        const secret = secrets.get(name);
        if (secret === undefined) return 204;
        if (kind === 'flaky' && failsNow(headers['webhook-id'] ?? '')) return 500;
        new Webhook(secret).verify(body, headers);
        received.get(name)?.add(headers['webhook-id'] ?? '');
        return 204;
    };
    const server = createServer((request, response) => {
        void text(request)
            .then((body) =>
                response.writeHead(take(request.url ?? '', request.headers as Record<string, string>, body)).end(),
            )
            .catch((error: Error) => {
                onWrong(error);
                response.writeHead(400).end();
            });
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    return {
        addressOf: (name, isFlaky) => `http://127.0.0.1:${port}/${isFlaky ? 'flaky' : 'well'}/${name}`,
        trust: (name, secret) => {
            secrets.set(name, secret);
            received.set(name, new Set());
        },
        receivedBy: (name) => received.get(name)?.size ?? 0,
        forget: (name) => {
            secrets.delete(name);
            received.delete(name);
        },
        stop: () => {
            server.close();
            server.closeAllConnections();
        },
    };
}

/** Where mail is sent to. */
export interface Mailbox {
    settings: { SMTP_URL: string; MAIL_FROM: string };
    /** The token that was mailed to somebody. */
    tokenFor: (email: string) => Promise<string>;
    stop: () => void;
}

export async function startMailbox(): Promise<Mailbox> {
    const waiting = new Map<string, (token: string) => void>();
    const server = new SMTPServer({
        authOptional: true,
        disabledCommands: ['STARTTLS'],
        disableReverseLookup: true,
        onData: (stream, { envelope: { rcptTo } }, callback) => {
            void text(stream).then((mail) => {
                // Long lines are folded by quoted-printable.
                const [token = ''] = /pr1\.[\w.-]+/.exec(mail.replaceAll('=\r\n', '').replaceAll('=3D', '=')) ?? [];
                for (const { address } of rcptTo) waiting.get(address)?.(token);
                callback();
            });
        },
    });
    const listening = server.listen(0, '127.0.0.1');
    await once(listening, 'listening');
    const { port } = listening.address() as AddressInfo;
    return {
        settings: { SMTP_URL: `smtp://127.0.0.1:${port}`, MAIL_FROM: 'Soak <no-reply@soak.example>' },
        tokenFor: (email) =>
            new Promise((resolve) => {
                waiting.set(email, (token) => {
                    waiting.delete(email);
                    resolve(token);
                });
            }),
        stop: () => server.close(),
    };
}
