import type { BackupWorkParts } from './backup-work.ts';
import type { Metrics } from '../../src/telemetry/metrics.ts';

/** Counts the backups that this process makes. */
export function backupMeter(metrics: Metrics): NonNullable<BackupWorkParts['onEnd']> {
    const backups = metrics.counter('backups_total', 'Backups that have ended', ['outcome']);
    const written = metrics.counter('backup_bytes_total', 'Bytes of the archives that were made');
    for (const outcome of ['completed', 'failed']) backups(outcome).inc(0);
    return (outcome, bytes) => {
        backups(outcome).inc();
        written().inc(bytes);
    };
}
