import type { Config } from '../config.ts';

/** Where an unexpected error happened: ids and names, never content. */
export interface ErrorPlace {
    module: string;
    requestId?: string | undefined;
    tenantId?: string | undefined;
    userId?: string | undefined;
    job?: string;
}

/** Tells those who run the platform of errors that nobody expects. */
export interface ErrorReports {
    report(error: unknown, place: ErrorPlace): void;
    /** Sends what is left. It never fails. */
    close(): Promise<void>;
}

/** What there is without anybody to tell. */
export const noReports: ErrorReports = { report: () => undefined, close: () => Promise.resolve() };

/** Sentry, which is loaded only when it is to be told. */
export async function openErrorReports(config: Config): Promise<ErrorReports> {
    if (config.SENTRY_DSN === undefined) return noReports;
    const { sentryReports } = await import('./sentry.ts');
    return sentryReports({
        dsn: config.SENTRY_DSN,
        environment: config.NODE_ENV,
        release: `llm-api-layer@${config.VERSION}`,
    });
}
