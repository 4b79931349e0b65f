import type { PageParams } from '../../src/http/pagination.ts';

/** What entries are asked for; all of it. */
export interface AuditFilter {
    userId?: string;
    /** Exact, or what it begins with and a `*`. */
    action?: string;
    resource?: string;
    resourceId?: string;
    /** `failure`: all that was refused or has failed. */
    result?: string;
    from?: Date;
    /** Exclusive. */
    to?: Date;
}

export type AuditQuery = AuditFilter & PageParams;

export interface ExportQuery extends AuditFilter {
    format: 'csv' | 'ndjson';
    order: 'asc' | 'desc';
}
