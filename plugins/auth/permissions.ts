import type { Role } from '../users/api.ts';

const USER = ['thread:read', 'thread:write', 'model:read'];

/** What each role may do, as `resource:action`; hapi checks them as the scope of a route. */
const PERMISSIONS: Record<Role, string[]> = {
    user: USER,
    admin: USER,
    support: [...USER, 'tenant:suspend'],
    finance: USER,
    superadmin: [...USER, 'tenant:suspend'],
};

/** @returns None for a role that is not known */
export const permissionsOf = (role: string): string[] => PERMISSIONS[role as Role] ?? [];
