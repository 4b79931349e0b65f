import { PLATFORM } from '../../src/redis/keys.ts';

const USER = ['thread:read', 'thread:write', 'model:read', 'profile:read', 'profile:write'];

/** What each role of a tenant may do, as `resource:action`; hapi checks them as the scope of a route. */
const TENANT_ROLES = new Map([
    ['user', USER],
    ['admin', USER],
]);

/** The roles that exist in the platform's own tenant only. */
const PLATFORM_ROLES = new Map([
    ['support', [...USER, 'tenant:suspend']],
    ['finance', USER],
    ['superadmin', [...USER, 'tenant:suspend']],
]);

/** @returns None for a role that the tenant does not have */
export const permissionsOf = (role: string, tenantId: string): string[] =>
    (tenantId === PLATFORM ? PLATFORM_ROLES : TENANT_ROLES).get(role) ?? [];
