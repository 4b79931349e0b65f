import Joi from 'joi';

import { backupIdSchema } from './backup-id.ts';
import { pageParams, type PageParams } from '../../src/http/pagination.ts';

import type { Backup, BackupState, BackupType } from './api.ts';

const TYPES: BackupType[] = ['full', 'database', 'config'];
const STATES: BackupState[] = ['in_progress', 'completed', 'verified', 'failed'];
const COMPONENTS = ['database', 'config', 'deployment'];

const time = () => Joi.string().isoDate();
const count = () => Joi.number().integer().min(0);
export const typeSchema = () => Joi.string().valid(...TYPES);
export const componentsSchema = () =>
    Joi.array().items(
        Joi.string()
            .valid(...COMPONENTS)
            .label('BackupComponent'),
    );
/** Aggregates by kind. */
export const kindCounts = (label: string) => Joi.object().pattern(Joi.string(), count()).label(label);

export interface BackupParams {
    backupId: string;
}

export const backupParams = Joi.object<BackupParams>({ backupId: backupIdSchema().required() }).label('BackupParams');

export interface ComparisonParams extends BackupParams {
    otherBackupId: string;
}

export const comparisonParams = Joi.object<ComparisonParams>({
    backupId: backupIdSchema().required(),
    otherBackupId: backupIdSchema().required(),
}).label('ComparisonParams');

export interface ComparisonQuery {
    contents: boolean;
}

export const comparisonQuery = Joi.object<ComparisonQuery>({
    contents: Joi.boolean().default(false).description('also read both archives and tell which records differ'),
}).label('ComparisonQuery');

export interface CreateBackup {
    type: BackupType;
    description: string | null;
}

export const createBackupPayload = Joi.object<CreateBackup>({
    type: typeSchema().required(),
    description: Joi.string().trim().min(1).max(500).allow(null).default(null),
})
    .example({ type: 'full', description: 'Before the great clean-up' })
    .label('CreateBackup');

export interface BackupQuery extends PageParams {
    type?: BackupType;
    state?: BackupState;
}

export const backupQuery = Joi.object<BackupQuery>({
    ...pageParams({ usual: 20, most: 100 }),
    type: typeSchema(),
    state: Joi.string().valid(...STATES),
}).label('BackupQuery');

export const backupSchema = Joi.object<Backup>({
    id: Joi.string(),
    type: typeSchema(),
    components: componentsSchema().label('BackupComponents'),
    description: Joi.string().allow(null),
    state: Joi.string().valid(...STATES),
    trigger: Joi.string().valid('manual', 'schedule', 'safety'),
    scheduleId: Joi.string().allow(null),
    createdBy: Joi.string(),
    processed: count().description('records that were written so far'),
    counts: kindCounts('BackupCounts').allow(null).description('records by kind'),
    bytes: count().allow(null),
    sha256: Joi.string().allow(null).description('of the archive as it is downloaded'),
    contentSha256: Joi.string().allow(null).description('equal for equal data'),
    durationMs: count().allow(null),
    error: Joi.string().allow(null).description('why it failed: a code of GET /api/errors'),
    verification: Joi.object({
        result: Joi.string().valid('running', 'passed', 'failed'),
        error: Joi.string().allow(null),
        at: time(),
    })
        .allow(null)
        .label('BackupVerification'),
    completedAt: time().allow(null),
    expiresAt: time().description('it is deleted then'),
    revision: Joi.number().integer(),
    createdAt: time(),
    updatedAt: time(),
}).label('Backup');

export const backupAnswer = Joi.object({ backup: backupSchema }).label('BackupData');
export const backupsAnswer = Joi.object({ backups: Joi.array().items(backupSchema).label('Backups') }).label(
    'BackupsData',
);
export const deletedBackupAnswer = Joi.object({
    backup: Joi.object({ id: Joi.string(), deleted: Joi.boolean() }).label('DeletedBackup'),
}).label('DeletedBackupData');

export const statsAnswer = Joi.object({
    stats: Joi.object({
        total: count(),
        totalBytes: count(),
        oldest: Joi.string().allow(null),
        newest: Joi.string().allow(null),
        byDay: Joi.array()
            .items(Joi.object({ day: Joi.string(), count: count(), bytes: count() }).label('BackupsOfDay'))
            .label('BackupsByDay'),
        bySize: Joi.array()
            .items(
                Joi.object({ size: Joi.string(), upToBytes: count().allow(null), count: count() }).label(
                    'BackupsOfSize',
                ),
            )
            .label('BackupsBySize'),
        completed: count().description('ever'),
        failed: count().description('ever'),
        successRate: Joi.number().min(0).max(1).allow(null),
        external: Joi.object({ completed: count(), failed: count() }).label('ExternalBackups'),
    }).label('BackupStats'),
}).label('BackupStatsData');

const differences = () => kindCounts('RecordsByKind');

export const comparisonAnswer = Joi.object({
    comparison: Joi.object({
        isIdentical: Joi.boolean(),
        first: backupSchema,
        second: backupSchema,
        bytesDifference: Joi.number().integer(),
        counts: Joi.array()
            .items(
                Joi.object({
                    kind: Joi.string(),
                    first: count(),
                    second: count(),
                    difference: Joi.number().integer(),
                }).label('KindComparison'),
            )
            .label('KindComparisons'),
        contents: Joi.object({
            added: differences(),
            removed: differences(),
            changed: differences(),
            unchanged: differences(),
        })
            .allow(null)
            .label('ContentComparison'),
    }).label('BackupComparison'),
}).label('BackupComparisonData');

const counts = { thread: 12, user: 3 };

export const backupExample: Backup = {
    id: 'backup_2026-11-20_10-30-00',
    type: 'full',
    components: ['database', 'config', 'deployment'],
    description: 'Before the great clean-up',
    state: 'completed',
    trigger: 'manual',
    scheduleId: null,
    createdBy: 'user_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    processed: 15,
    counts,
    bytes: 48_213,
    sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    contentSha256: '60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752',
    durationMs: 412,
    error: null,
    verification: null,
    completedAt: '2026-11-20T10:30:00.412Z',
    expiresAt: '2026-12-20T10:30:00.000Z',
    revision: 2,
    createdAt: '2026-11-20T10:30:00.000Z',
    updatedAt: '2026-11-20T10:30:00.412Z',
};

export const begunExample: Backup = {
    ...backupExample,
    state: 'in_progress',
    processed: 0,
    counts: null,
    bytes: null,
    sha256: null,
    contentSha256: null,
    durationMs: null,
    completedAt: null,
    revision: 1,
    updatedAt: '2026-11-20T10:30:00.000Z',
};

export const statsExample = {
    total: 1,
    totalBytes: 48_213,
    oldest: backupExample.id,
    newest: backupExample.id,
    byDay: [{ day: '2026-11-20', count: 1, bytes: 48_213 }],
    bySize: [{ size: '1MiB', upToBytes: 1_048_576, count: 1 }],
    completed: 1,
    failed: 0,
    successRate: 1,
    external: { completed: 0, failed: 0 },
};

export const comparisonExample = {
    isIdentical: false,
    first: backupExample,
    second: { ...backupExample, id: 'backup_2026-11-21_10-30-00', counts: { thread: 13, user: 3 }, bytes: 49_000 },
    bytesDifference: 787,
    counts: [
        { kind: 'thread', first: 12, second: 13, difference: 1 },
        { kind: 'user', first: 3, second: 3, difference: 0 },
    ],
    contents: { added: { thread: 1 }, removed: {}, changed: { thread: 2 }, unchanged: { thread: 10, user: 3 } },
};
