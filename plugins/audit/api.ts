/** The port of the audit: what the workers do for it. */
export interface AuditService {
    /** Seals what is new in the tenants that had requests lately. */
    sealDue(): Promise<void>;
    /** Goes on through the list of all tenants: seals what is left, and trims what need not be kept longer. */
    keep(): Promise<void>;
}

declare module '@hapi/hapi' {
    interface PluginProperties {
        audit: AuditService;
    }
}
