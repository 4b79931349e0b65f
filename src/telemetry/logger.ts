import { once } from 'node:events';

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
const PRETTY = { ignore: 'tags', singleLine: true };
/** Errors of Redis bring the whole command along, with hashes of passwords; errors of Joi what they looked at. */
export const ERROR_CONTENTS = ['err.command.args', 'err._original', 'err.details[*].context.value'];

/** Lines are written together: when there are so many bytes of them, or so long after. */
const LINES_BYTES = 8_192;
const LINES_WAIT_MS = 100;

export interface LoggerOptions {
    level: string;
    pretty: boolean;
    /** Where the lines go; standard output unless given. */
    destination?: DestinationStream;
}

/** Where the lines of a process go. */
export interface LogOutput {
    destination: DestinationStream;
    /** Resolves when every line is written; afterwards there can be none. */
    end(): Promise<void>;
}

/** Standard output: it is written to in the background, and has to be ended before the process is. */
export function standardOutput(isPretty: boolean): LogOutput {
    // A person's terminal is written to at once.
    if (isPretty) return { destination: pretty({ ...PRETTY, sync: true }), end: () => Promise.resolve() };
    const file = pino.destination({ sync: false, minLength: LINES_BYTES, periodicFlush: LINES_WAIT_MS });
    let isOpen = true;
    // Whoever reads it has gone: nothing is ever written any more, nor said to be.
    file.on('error', () => (isOpen = false));
    return {
        destination: { write: (line) => void (isOpen && file.write(line)) },
        async end() {
            if (!isOpen) return;
            isOpen = false;
            const closed = once(file, 'close').catch(() => undefined);
            file.end();
            await closed;
        },
    };
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
    if (isPretty) return pino(options, pretty(PRETTY));
    return pino(options, pino.destination({ sync: false }));
}
