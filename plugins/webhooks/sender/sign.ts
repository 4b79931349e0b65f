import { randomBytes } from 'node:crypto';

import { Webhook } from 'standardwebhooks';

const PREFIX = 'whsec_';
/** Of 24 to 64 that Standard Webhooks allows. */
const SECRET_BYTES = 32;

/** A new secret of a webhook, `whsec_` and 32 random bytes in base64. */
export const newSecret = (): string => PREFIX + randomBytes(SECRET_BYTES).toString('base64');

/** What is signed. */
export interface Message {
    /** The event's: the same in each attempt, so that the receiver knows a repeat. */
    id: string;
    body: string;
    /** Of the attempt; it is signed in seconds. */
    time: Date;
}

/**
 * The headers by which the receiver knows the sender, by the Standard Webhooks specification.
 *
 * @param secrets Each signs: while secrets are changed over the receiver may have the one or the other
 */
export const signedHeaders = ({ id, body, time }: Message, secrets: string[]): Record<string, string> => ({
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(time.getTime() / 1_000)),
    'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, time, body)).join(' '),
});
