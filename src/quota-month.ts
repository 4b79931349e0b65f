/** A calendar month in UTC, over which quotas are counted. */
export interface QuotaMonth {
    /** `yyyymm` */
    name: string;
    /** Milliseconds since the epoch; the next month begins then. */
    endsAt: number;
}

/** The month that a time, in milliseconds since the epoch, falls in. */
export function quotaMonth(at: number): QuotaMonth {
    const date = new Date(at);
    const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
    return { name: String(year * 100 + month + 1), endsAt: Date.UTC(year, month + 1) };
}
