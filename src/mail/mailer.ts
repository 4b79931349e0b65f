import type { Config } from '../config.ts';

export interface Mail {
    to: string;
    subject: string;
    text: string;
}

/** Sends mail; who waits for it waits for the mail server. */
export interface Mailer {
    /** @throws {Error} When the mail server does not take it */
    send(mail: Mail): Promise<void>;
}

/** How long a mail server may be silent, unless the URL says otherwise. */
const TIMEOUT_MS = 10_000;

/** Gives a mailer over SMTP, or null where no mail server is configured: then nothing is loaded for it. */
export async function createMailer({
    SMTP_URL,
    MAIL_FROM,
}: Pick<Config, 'SMTP_URL' | 'MAIL_FROM'>): Promise<Mailer | null> {
    if (SMTP_URL === undefined || MAIL_FROM === undefined) return null;
    const { createTransport } = await import('nodemailer');
    const url = new URL(SMTP_URL);
    for (const name of ['connectionTimeout', 'greetingTimeout', 'socketTimeout']) {
        if (!url.searchParams.has(name)) url.searchParams.set(name, String(TIMEOUT_MS));
    }
    const transport = createTransport(url.href, { from: MAIL_FROM, disableFileAccess: true, disableUrlAccess: true });
    return {
        send: async (mail) => {
            await transport.sendMail(mail);
        },
    };
}
