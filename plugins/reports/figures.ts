/** What a tenant has come to, by periods (`day:20261120`, `month:202611`, `now`); values are whole numbers as text. */
export interface TenantFigures {
    id: string;
    name: string;
    /** Of two reads the one with the higher number is the newer. */
    read: number;
    /** Purged: what days and months have stays. */
    isGone?: true;
    periods: Record<string, Record<string, string>>;
}

/** What a process tells of requests at once: counts by period and by what was counted, users by day. */
export interface TrafficBatch {
    periods: Record<string, Record<string, number>>;
    active: Record<string, string[]>;
}

export interface FigureQuery {
    /** Periods whose sums of all tenants are asked for. */
    figures?: string[];
    /** Periods whose requests are asked for. */
    traffic?: string[];
    /** Days whose active users are counted together. */
    active?: string[];
    top?: TopQuery;
}

export interface TopQuery {
    periods: string[];
    by: string;
    also?: readonly string[];
    most: number;
}

/** Sums by what was summed up. */
export type Sums = Map<string, bigint>;

/** A tenant among those with the most of something; the name is null once it is purged. */
export interface Leader {
    tenantId: string;
    tenantName: string | null;
    values: bigint[];
}

/** In the order that was asked for. */
export interface FoundFigures {
    /** Null before the first roll-up. */
    asOf: string | null;
    figures: Sums[];
    traffic: Sums[];
    active: number;
    leaders: Leader[];
}
