import { PLATFORM, tenantKey } from '../../src/redis/keys.ts';

/** The keys of what all tenants come to, in the platform's slot; see `set-figures.lua` and `count-traffic.lua`. */
export const reportKeys = {
    figures: tenantKey(PLATFORM, 'reports'),
    traffic: tenantKey(PLATFORM, 'traffic'),
    asOf: tenantKey(PLATFORM, 'reports', 'as-of'),
    place: tenantKey(PLATFORM, 'reports', 'place'),
    /** Of all tenants, as the tenants feature keeps it. */
    tenants: tenantKey(PLATFORM, 'tenants'),
    batch: (processId: string) => tenantKey(PLATFORM, 'traffic', 'batch', processId),
};

/** The keys that other features have their sums of a tenant in, as `read-tenant.lua` takes them. */
export const tenantKeys = (tenantId: string, info: string): string[] => [
    info,
    stateKey(tenantId),
    tenantKey(tenantId, 'credits'),
    tenantKey(tenantId, 'usage'),
    tenantKey(tenantId, 'violations'),
    tenantKey(tenantId, 'backups', 'stats'),
    tenantKey(tenantId, 'backups', 'done'),
    tenantKey(tenantId, 'users'),
    tenantKey(tenantId, 'vms', 'running'),
];

/** How far a tenant has been read. */
export const stateKey = (tenantId: string): string => tenantKey(tenantId, 'reports');
