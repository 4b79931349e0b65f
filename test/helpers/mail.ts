import { once } from 'node:events';

import { SMTPServer } from 'smtp-server';

import type { AddressInfo } from 'node:net';

/** A mail server of a test's own. */
export interface TestMailServer {
    /** The settings by which the program uses it. */
    config: { SMTP_URL: string; MAIL_FROM: string };
    /** What came in, whole, oldest first. */
    mails: ReceivedMail[];
    /** Waits until there are that many. */
    until: (count: number) => Promise<ReceivedMail[]>;
    /** From now on it refuses everything. */
    refuse: () => void;
    stop: () => Promise<void>;
}

export interface ReceivedMail {
    from: string;
    to: string[];
    text: string;
}

export async function startMailServer(): Promise<TestMailServer> {
    const mails: ReceivedMail[] = [];
    const waiting = new Set<() => void>();
    let isRefusing = false;
    const server = new SMTPServer({
        authOptional: true,
        allowInsecureAuth: true,
        onAuth: ({ username }, _session, callback) => callback(null, { user: username }),
        disabledCommands: ['STARTTLS'],
        disableReverseLookup: true,
        onRcptTo: (_address, _session, callback) => callback(isRefusing ? new Error('no such mailbox here') : null),
        onData: (stream, { envelope }, callback) => {
            let text = '';
            stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
            stream.on('end', () => {
                const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
                // Long lines are folded by quoted-printable.
                mails.push({ from, to: envelope.rcptTo.map(({ address }) => address), text: unfold(text) });
                callback();
                for (const wake of waiting) wake();
            });
        },
    });
    const listening = server.listen(0, '127.0.0.1');
    await once(listening, 'listening');
    const { port } = listening.address() as AddressInfo;
    return {
        config: { SMTP_URL: `smtp://127.0.0.1:${port}`, MAIL_FROM: 'Acme <no-reply@acme.example>' },
        mails,
        until: async (count) => {
            while (mails.length < count) {
                await new Promise<void>((resolve) => {
                    waiting.add(resolve);
                });
            }
            return mails;
        },
        refuse: () => {
            isRefusing = true;
        },
        stop: () => new Promise((resolve) => server.close(() => resolve())),
    };
}

const unfold = (text: string): string => text.replaceAll('=\r\n', '').replaceAll('=3D', '=');

/** The reset token in a mail. */
export const tokenIn = (mail: ReceivedMail | undefined): string => /pr1\.[\w.-]+/.exec(mail?.text ?? '')?.[0] ?? '';
