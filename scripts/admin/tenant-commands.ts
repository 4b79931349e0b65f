import Joi from 'joi';

import { checked, readStandardInput, type Input } from './input.ts';
import { UsageError } from './usage.ts';
import { createTenantPayload, suspendTenantPayload, tenantParams } from '../../plugins/admin/schemas.ts';
import { userQuery } from '../../plugins/users/api.ts';
import { idSchema } from '../../src/ids.ts';
import { PLATFORM } from '../../src/redis/keys.ts';

import type { Act, Commands } from './command.ts';
import type { AccountFeature } from '../../plugins/accounts/api.ts';
import type { AccountParams } from '../../plugins/accounts/schemas.ts';
import type { PublicUser } from '../../plugins/users/api.ts';
import type { Actor } from '../../src/types/actor.ts';

/** The tenant that is named first. */
const tenantOf = ({ words: [tenantId] }: Input) => checked(tenantParams, { tenantId }).tenantId;

const userParams = Joi.object<AccountParams>({
    tenantId: Joi.alternatives(idSchema('tenant'), Joi.string().valid(PLATFORM)).required(),
    userId: idSchema('user').required(),
});

/** The part of a list that is asked for: the newest first. */
const pageOf = ({ options: { limit, cursor, q } }: Input) =>
    checked(userQuery, {
        ...(limit !== undefined && { limit }),
        ...(cursor !== undefined && { cursor }),
        ...(q !== undefined && { q }),
    });

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
                const { token, ...created } = await admin.createTenant(actor, details);
                return { ...created, ...(token !== null && { token }) };
            };
        },
    },
    'tenant list': {
        words: 0,
        options: ['limit', 'cursor'],
        prepare: (input) => {
            const { order: direction, ...page } = pageOf(input);
            return async ({ plugins: { admin } }, actor) => {
                const { items: tenants, pagination } = await admin.listTenants(actor, { ...page, direction });
                return { tenants, pagination };
            };
        },
    },
    'tenant show': {
        words: 1,
        options: [],
        prepare: (input) => {
            const id = tenantOf(input);
            return async ({ plugins: { admin } }, actor) => ({ tenant: await admin.getTenant(actor, id) });
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
            const query = { ...pageOf(input), tenantId: id };
            return async ({ plugins: { accounts } }, actor) => {
                const { items: users, pagination } = await accounts.list(actor, query);
                return { users, pagination };
            };
        },
    },
    'user suspend': {
        words: 2,
        options: ['reason'],
        prepare: (input) => {
            const { reason } = checked(suspendTenantPayload, { reason: input.options.reason });
            return onUser(input, (accounts, ...user) => accounts.suspend(...user, { reason }));
        },
    },
    'user activate': {
        words: 2,
        options: [],
        prepare: (input) => onUser(input, (accounts, ...user) => accounts.activate(...user)),
    },
};

type Change = (accounts: AccountFeature, actor: Actor, place: AccountParams) => Promise<PublicUser>;

function onUser({ words: [tenantId, userId] }: Input, change: Change): Act {
    const place = checked(userParams, { tenantId, userId });
    return async ({ plugins: { accounts } }, actor) => ({ user: await change(accounts, actor, place) });
}
