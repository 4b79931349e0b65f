import { defaultStackParser, makeNodeTransport, NodeClient, Scope } from '@sentry/node';

import { scrub } from './scrub.ts';

import type { ErrorEvent } from '@sentry/node';
import type { ErrorReports } from './error-reports.ts';

const FLUSH_MS = 1_000;

/**
 * Reports to Sentry by a client of its own: none of its integrations, which would read requests, patch modules and have
 * an OpenTelemetry of their own.
 */
export function sentryReports(options: { dsn: string; environment: string; release: string }): ErrorReports {
    const client = new NodeClient({
        ...options,
        integrations: [],
        transport: makeNodeTransport,
        stackParser: defaultStackParser,
        sendClientReports: false,
        includeServerName: false,
        enableRuntimeChannelInjection: false,
        enableOpenTelemetrySetup: false,
        beforeSend: (event) => withoutContents(event),
    });
    return {
        report(error, { userId, ...place }) {
            const scope = new Scope();
            scope.setTags(place);
            if (userId !== undefined) scope.setUser({ id: userId });
            client.captureException(error, undefined, scope);
        },
        async close() {
            await client.close(FLUSH_MS);
        },
    };
}

/** What is sent: which error, where in the code, for whom. */
function withoutContents({ exception, tags, user, ...event }: ErrorEvent): ErrorEvent {
    const { event_id, timestamp, platform, level, environment, release, sdk } = event;
    const values = (exception?.values ?? []).map(({ type, value, stacktrace, mechanism }) => ({
        ...(type !== undefined && { type }),
        ...(value !== undefined && { value: scrub(value) }),
        ...(stacktrace && {
            stacktrace: { frames: (stacktrace.frames ?? []).map(({ vars: _vars, ...frame }) => frame) },
        }),
        ...(mechanism && { mechanism }),
    }));
    return {
        type: undefined,
        exception: { values },
        ...Object.fromEntries(
            Object.entries({ event_id, timestamp, platform, level, environment, release, sdk, tags, user }).filter(
                ([, value]) => value !== undefined,
            ),
        ),
    };
}
