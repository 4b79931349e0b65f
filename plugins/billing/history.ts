import type { EntryType } from './entry.ts';
import type { LedgerRecord } from './record.ts';
import type { PageParams } from '../../src/http/pagination.ts';

/** What entries are about; all of it. */
export interface HistoryFilter {
    type?: EntryType;
    userId?: string;
    threadId?: string;
    vmId?: string;
    modelId?: string;
    from?: Date;
    /** Exclusive. */
    to?: Date;
}

export type HistoryQuery = HistoryFilter & PageParams;

/** A page of the ledger; what it has in all is not counted. */
export interface HistoryPage {
    records: LedgerRecord[];
    pagination: { cursor: string | null; limit: number; hasMore: boolean };
}
