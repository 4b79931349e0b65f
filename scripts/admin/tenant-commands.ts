import Joi from 'joi';

import { checked, readStandardInput, type Input } from './input.ts';
import { UsageError } from './usage.ts';
import { createTenantPayload, suspendTenantPayload, tenantParams } from '../../plugins/admin/schemas.ts';
import { pageParams, type PageParams } from '../../src/http/pagination.ts';
import { idSchema } from '../../src/ids.ts';

import type { Act, Commands } from './command.ts';

/** The tenant that is named first. */
const tenantOf = ({ words: [tenantId] }: Input) => checked(tenantParams, { tenantId }).tenantId;

const userParams = Joi.object<{ tenantId: string; userId: string }>({
    tenantId: Joi.alternatives(idSchema('tenant'), Joi.string().valid('platform')).required(),
    userId: idSchema('user').required(),
});

const listParams = Joi.object<PageParams & { q?: string }>({
    ...pageParams({ usual: 20, most: 100 }),
    q: Joi.string().trim().min(1).max(100),
});

/** The part of a list that is asked for: the newest first. */
function pageOf({ options: { limit, cursor, q } }: Input) {
    const { order: direction, ...page } = checked(listParams, {
        ...(limit !== undefined && { limit }),
        ...(cursor !== undefined && { cursor }),
        ...(q !== undefined && { q }),
    });
    return { ...page, direction };
}

async function createTenantOf({ options }: Input) {
    const { name, domain, email, plan = 'free', 'display-name': displayName } = options;
    const password = options['password-stdin'] === true ? await readStandardInput() : undefined;
    return checked(createTenantPayload, {
        name,
        domain,
        plan,
        admin: {
            email,
            ...(displayName !== undefined && { displayName }),
            ...(password !== undefined && { password }),
        },
    });
}

/** What is done with tenants. */
export const tenantCommands: Commands = {
    'tenant create': {
        words: 0,
        options: ['name', 'domain', 'email', 'plan', 'display-name', 'password-stdin'],
        prepare: async (input) => {
            const details = await createTenantOf(input);
            return async ({ plugins: { admin } }, actor) => {
                const { token, ...created } = await admin.operator.createTenant(actor, details);
                return { ...created, ...(token !== null && { token }) };
            };
        },
    },
    'tenant list': {
        words: 0,
        options: ['limit', 'cursor'],
        prepare: (input) => {
            const { q: _q, ...query } = pageOf(input);
            return async ({ plugins: { admin } }, actor) => {
                const { items: tenants, pagination } = await admin.operator.listTenants(actor, query);
                return { tenants, pagination };
            };
        },
    },
    'tenant show': {
        words: 1,
        options: [],
        prepare: (input) => {
            const id = tenantOf(input);
            return async ({ plugins: { admin } }, actor) => ({ tenant: await admin.operator.getTenant(actor, id) });
        },
    },
    'tenant suspend': {
        words: 1,
        options: ['reason'],
        prepare: (input) => {
            const id = tenantOf(input);
            const { reason } = checked(suspendTenantPayload, { reason: input.options.reason });
            return async ({ plugins: { tenants } }, actor) => ({ tenant: await tenants.suspend(actor, id, reason) });
        },
    },
    'tenant activate': {
        words: 1,
        options: [],
        prepare: (input) => {
            const id = tenantOf(input);
            return async ({ plugins: { tenants } }, actor) => ({ tenant: await tenants.activate(actor, id) });
        },
    },
    'tenant delete': {
        words: 1,
        options: ['yes'],
        prepare: (input) => {
            const id = tenantOf(input);
            if (input.options.yes !== true) {
                throw new UsageError(`${id} is locked at once and purged in 30 days. Say --yes to do that`);
            }
            return async ({ plugins: { tenants } }, actor) => ({ tenant: await tenants.remove(actor, id) });
        },
    },
    'tenant restore': {
        words: 1,
        options: [],
        prepare: (input) => {
            const id = tenantOf(input);
            return async ({ plugins: { tenants } }, actor) => ({ tenant: await tenants.restore(actor, id) });
        },
    },
};

/** What is done with the users of tenants. */
export const userCommands: Commands = {
    'user list': {
        words: 1,
        options: ['q', 'limit', 'cursor'],
        prepare: (input) => {
            const [tenantId] = input.words;
            const { tenantId: id } = checked(
                userParams.fork('userId', (schema) => schema.forbidden()),
                { tenantId },
            );
            const query = pageOf(input);
            return async ({ plugins: { admin } }, actor) => {
                const { items: users, pagination } = await admin.operator.listUsers(actor, id, query);
                return { users, pagination };
            };
        },
    },
    'user suspend': {
        words: 2,
        options: ['reason'],
        prepare: (input) => {
            const { reason } = checked(suspendTenantPayload, { reason: input.options.reason });
            return setActive(input, { isActive: false, reason });
        },
    },
    'user activate': { words: 2, options: [], prepare: (input) => setActive(input, { isActive: true }) },
};

function setActive({ words: [tenantId, userId] }: Input, standing: { isActive: boolean; reason?: string }) {
    const user = checked(userParams, { tenantId, userId });
    const act: Act = async ({ plugins: { admin } }, actor) => ({
        user: await admin.operator.setActive(actor, user.tenantId, user.userId, standing),
    });
    return act;
}
