/** The tenant that the platform itself is: platform admins, the tenant list, domain look-ups, per-IP counters. */
export const PLATFORM = 'platform';

/**
 * Names a key of a tenant: `tenant:{<tenantId>}:<part>:<part>…`. The braces are Redis Cluster's hash tag: all keys of a
 * tenant share one slot, so that every change of a tenant can be one script. No key is named anywhere else.
 *
 * @throws {RangeError} When a part is empty or the tenant id could break out of the hash tag.
 */
export function tenantKey(tenantId: string, ...parts: string[]): string {
    if (!/^[A-Za-z0-9_-]+$/.test(tenantId)) throw new RangeError('Not a tenant id');
    if (parts.length === 0 || parts.includes('')) throw new RangeError('A key needs non-empty parts');
    return `tenant:{${tenantId}}:${parts.join(':')}`;
}
