import type { BackupType } from './api.ts';
import type { Component } from '../../src/redis/aggregate.ts';

/** What a backup of a type has. */
export const COMPONENTS: Record<BackupType, Component[]> = {
    full: ['database', 'config', 'deployment'],
    database: ['database'],
    config: ['config', 'deployment'],
};
