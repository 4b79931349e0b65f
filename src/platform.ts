import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import type { Drain } from './drain.ts';
import type { JobQueues } from './jobs/jobs.ts';
import type { Datastore } from './redis/datastore.ts';
import type { Replication } from './redis/replication.ts';
import type { Signals } from './redis/signals.ts';
import type { Passwords } from './security/passwords.ts';
import type { Vault } from './security/vault.ts';
import type { ErrorReports } from './telemetry/error-reports.ts';
import type { Load } from './telemetry/load.ts';
import type { Logger } from './telemetry/logger.ts';
import type { Metrics } from './telemetry/metrics.ts';
import type { Tracing } from './telemetry/tracing.ts';

/** What every feature is given to stand on. */
export interface Platform {
    config: Config;
    store: Datastore;
    /** Where what is written is waited for until replicas of Redis have it. */
    replication?: Replication;
    signals: Signals;
    vault: Vault;
    clock: Clock;
    logger: Logger;
    drain: Drain;
    jobs: JobQueues;
    metrics: Metrics;
    /** The one line in which passwords are hashed. */
    passwords: Passwords;
    /** How long a restore waits for requests that were admitted before it; as long as one may take unless given. */
    restoreGraceMs?: number;
    /** How often the process tells of the requests that it has counted; every few seconds unless given. */
    countEveryMs?: number;
    /** What measures the work; nothing unless given. */
    tracing?: Tracing;
    /** Whom unexpected errors are reported to; nobody unless given. */
    errorReports?: ErrorReports;
    /** Gives the OpenAPI document, as JSON; made in the process unless given. */
    writeDocument?: () => Promise<string>;
    /** How busy the process is; its own measure unless given. */
    measureLoad?: () => Load;
}
