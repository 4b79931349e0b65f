import type { ErrorReports } from './error-reports.ts';
import type { LogOutput, Logger } from './logger.ts';

/**
 * Ends the process by an error that nobody has caught, with exit code 1: its state is not to be trusted. It is logged
 * and reported like any other, without its contents; Node.js would print all of it.
 */
export function endOnCrash(logger: Logger, errorReports: ErrorReports, output: LogOutput): void {
    let hasCrashed = false;
    process.on('uncaughtException', (error) => {
        // One brings others along.
        if (hasCrashed) return;
        hasCrashed = true;
        logger.fatal({ module: 'main', err: error }, 'crashed');
        errorReports.report(error, { module: 'main' });
        void Promise.all([errorReports.close(), output.end()]).finally(() => process.exit(1));
    });
}
