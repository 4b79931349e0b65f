import { createLogger, type Logger } from '../../src/telemetry/logger.ts';

/** A logger, and the messages that it was given. */
export function notingLogger(): { logger: Logger; messages: string[] } {
    const messages: string[] = [];
    const write = (line: string) => void messages.push((JSON.parse(line) as { msg: string }).msg);
    return { logger: createLogger({ level: 'info', pretty: false, destination: { write } }), messages };
}
