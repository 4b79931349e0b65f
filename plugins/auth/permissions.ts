import { PLATFORM } from '../../src/redis/keys.ts';

const CLOUD = [
    'project:read',
    'project:write',
    'vm:read',
    'vm:write',
    'tunnel:read',
    'tunnel:write',
    'proxy:read',
    'proxy:write',
];

const USER = [
    'thread:read',
    'thread:write',
    'model:read',
    'model:call',
    'model:load',
    'profile:read',
    'profile:write',
    ...CLOUD,
    'event:read',
    'billing:read-own',
];

const USER_ADMIN = ['user:read', 'user:write', 'settings:write', 'billing:read', 'billing:limit'];

/** What concerns the tenant as a whole: who did what, who is told of it, and what is kept of it. */
const KEEPER = [
    'audit:read',
    'webhook:read',
    'webhook:write',
    'backup:read',
    'backup:create',
    'backup:restore',
    'backup:delete',
];

/** Who moves the credits of tenants. */
const CASHIER = ['billing:credit', 'billing:refund'];

/** What each role of a tenant may do, as `resource:action`; hapi checks them as the scope of a route. */
const TENANT_ROLES = new Map([
    ['user', USER],
    ['admin', [...USER, ...USER_ADMIN, ...KEEPER]],
]);

/** What all roles of the platform see of it. */
const OBSERVER = ['tenant:read', 'limit:read', 'report:read', 'platform:read'];

/** Who mends: lets users and tenants in or not, closes circuits, has jobs tried again. */
const RESCUER = ['tenant:suspend', 'account:read', 'account:suspend', 'platform:recover'];

/** The roles that exist in the platform's own tenant only. */
const PLATFORM_ROLES = new Map([
    ['support', [...USER, 'audit:read', ...OBSERVER, ...RESCUER]],
    ['finance', [...USER, ...OBSERVER, 'billing:read', ...CASHIER]],
    [
        'superadmin',
        [
            ...USER,
            ...USER_ADMIN,
            ...KEEPER,
            ...OBSERVER,
            ...RESCUER,
            'tenant:write',
            'account:write',
            'platform:configure',
            ...CASHIER,
        ],
    ],
]);

/** @returns None for a role that the tenant does not have */
export const permissionsOf = (role: string, tenantId: string): string[] =>
    (tenantId === PLATFORM ? PLATFORM_ROLES : TENANT_ROLES).get(role) ?? [];
