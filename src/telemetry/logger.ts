import { pino, type DestinationStream, type Logger } from 'pino';
import pretty from 'pino-pretty';

export type { Logger };

/** Whatever object reaches a log line, these of its fields do not. */
const SECRETS = [
    'authorization',
    'cookie',
    'password',
    'apiKey',
    'token',
    'accessToken',
    'refreshToken',
    'secret',
    '["x-api-key"]',
    '["set-cookie"]',
];
const REDACT = SECRETS.flatMap((name) => {
    const field = name.startsWith('[') ? name : `.${name}`;
    return [field.replace(/^\./, ''), `*${field}`, `*.*${field}`];
});
/** Errors of Redis bring the whole command along, with hashes of passwords; errors of Joi what they looked at. */
export const ERROR_CONTENTS = ['err.command.args', 'err._original', 'err.details[*].context.value'];

export interface LoggerOptions {
    level: string;
    pretty: boolean;
    /** Where the lines go; standard output unless given. */
    destination?: DestinationStream;
}

/** JSON lines with ISO times, or coloured ones on a terminal. Secrets are redacted by name. */
export function createLogger({ level, pretty: isPretty, destination }: LoggerOptions): Logger {
    const options = {
        level,
        timestamp: pino.stdTimeFunctions.isoTime,
        redact: { paths: [...REDACT, ...ERROR_CONTENTS], censor: '[redacted]' },
        base: null,
    };
    if (destination) return pino(options, destination);
    if (isPretty) return pino(options, pretty({ ignore: 'tags', singleLine: true }));
    return pino(options, pino.destination({ sync: false }));
}
