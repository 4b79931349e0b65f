import type { Writable } from 'node:stream';

/** What a person or a log is told of. */
export interface Reporter {
    /** Something happened. */
    tell(level: 'info' | 'warn' | 'error', message: string, details?: Record<string, unknown>): void;
    /** A request was relayed; for logs only. */
    relayed(details: Record<string, unknown>): void;
    /** How it is now; shown only where it can be shown in one place. */
    status(status: Status): void;
    end(): void;
}

/** What the status line shows. */
export interface Status {
    state: 'connecting' | 'connected' | 'waiting' | 'stopping';
    running: number;
    done: number;
}

/** Lines for people with a status line below them on a terminal, JSON lines elsewhere. */
export const createReporter = (output: Writable & { isTTY?: boolean }): Reporter =>
    output.isTTY === true ? terminal(output) : jsonLines(output);

function jsonLines(output: Writable): Reporter {
    const tell: Reporter['tell'] = (level, message, details = {}) => {
        output.write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...details })}\n`);
    };
    return {
        tell,
        relayed: (details) => tell('info', 'Relayed', details),
        status: () => undefined,
        end: () => undefined,
    };
}

const CLEAR_LINE = '\r\u001b[2K';

function terminal(output: Writable): Reporter {
    let line = '';
    return {
        tell: (level, message, details = {}) => {
            const text = Object.values(details).join(' ');
            const sign = level === 'info' ? '' : `${level}: `;
            output.write(`${CLEAR_LINE}${sign}${message}${text === '' ? '' : ` (${printable(text)})`}\n${line}`);
        },
        // The status line counts them.
        relayed: () => undefined,
        status: ({ state, running, done }) => {
            line = `${state} · ${running} running · ${done} done`;
            output.write(CLEAR_LINE + line);
        },
        end: () => void output.write(CLEAR_LINE),
    };
}

/** What came from elsewhere must not move the cursor. */
// oxlint-disable-next-line no-control-regex -- these are what must not be there
const printable = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?');
