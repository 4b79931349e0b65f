/** Refusals for limits, of all tenants. */
export interface AllViolations {
    /** The newest first, dates as `yyyy-mm-dd` in UTC; days and kinds without any are left out. */
    days: { date: string; counts: Record<string, number> }[];
    /** Those with the most in all those days; the name is null once a tenant is purged. */
    tenants: { tenantId: string; tenantName: string | null; count: number }[];
}

/** The port of the reports: what the workers do for it, and what other features show of it. */
export interface ReportFeature {
    /** Brings the sums of tenants that moved lately into those of all tenants. */
    rollUp(): Promise<void>;
    /** Goes on through the list of all tenants, and does the same. */
    sweep(): Promise<void>;
    /** Tells the store what this process has counted of requests; done every few seconds by itself. */
    flush(): Promise<void>;
    /** @param days How many, today among them */
    violations(days: number): Promise<AllViolations>;
}

declare module '@hapi/hapi' {
    interface PluginProperties {
        reports: ReportFeature;
    }
}
