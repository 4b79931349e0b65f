import { ALL, TENANT, type DirectoryStore, type Entry } from './store.ts';
import { orNull } from '../../src/http/errors.ts';
import { foldTerm, nameTerms } from '../../src/redis/search-terms.ts';

import type { Clock } from '../../src/clock.ts';
import type { Tenant, TenantService } from '../tenants/api.ts';
import type { UserService } from '../users/api.ts';

/** Accounts that are read and written at once. */
const BATCH = 100;

export interface KeeperParts {
    store: DirectoryStore;
    tenants: Pick<TenantService, 'get'>;
    users: Pick<UserService, 'find' | 'ids'>;
    clock: Clock;
}

/**
 * Brings the directory in line with the records. Whatever calls it, and how often, the records as they are now are what
 * is written; a note of a change goes only when that was done after it.
 */
export class Keeper {
    readonly #parts: KeeperParts;

    constructor(parts: KeeperParts) {
        this.#parts = parts;
    }

    /** Writes the accounts of a tenant that have changed. */
    async catchUp(tenantId: string): Promise<void> {
        const { store } = this.#parts;
        const changes = await store.changes(tenantId);
        const accounts = Object.keys(changes);
        if (accounts.length === 0) return;
        if (accounts.includes(ALL)) return this.compare(tenantId);
        await this.#write(tenantId, accounts);
        await store.settle(tenantId, changes);
    }

    /** Writes all accounts of a tenant, and takes those out that are not there any more. */
    async compare(tenantId: string): Promise<void> {
        const { store, users, clock } = this.#parts;
        const changes = await store.changes(tenantId);
        const left = new Set(await store.accounts(tenantId));
        await this.#write(tenantId, [TENANT]);
        left.delete(TENANT);
        for await (const ids of users.ids(tenantId)) {
            await this.#write(tenantId, ids);
            for (const id of ids) left.delete(id);
        }
        await this.#write(tenantId, [...left]);
        await store.settle(tenantId, changes);
        await store.setComparedAt(tenantId, clock());
    }

    /** Takes a tenant out that is being purged. */
    async forget(tenantId: string): Promise<void> {
        const { store } = this.#parts;
        await store.bar(tenantId);
        const accounts = await store.accounts(tenantId);
        const entries = accounts.map((account) => ({ account }));
        await store.put(tenantId, await store.ticket(), entries);
        await store.forgetCompared(tenantId);
    }

    async #write(tenantId: string, accounts: string[]): Promise<void> {
        const { store } = this.#parts;
        for (let from = 0; from < accounts.length; from += BATCH) {
            // Before anything is read: what somebody else reads later has a higher one, and stays.
            const ticket = await store.ticket();
            const batch = accounts.slice(from, from + BATCH);
            await store.put(tenantId, ticket, await Promise.all(batch.map((account) => this.#read(tenantId, account))));
        }
    }

    async #read(tenantId: string, account: string): Promise<Entry> {
        const { tenants, users } = this.#parts;
        if (account === TENANT) {
            const tenant = await orNull(tenants.get(tenantId), 'TENANT_NOT_FOUND');
            return tenant ? tenantEntry(tenant) : { account };
        }
        const user = await users.find(tenantId, account);
        if (!user) return { account };
        const terms = [...new Set([...user.terms.email, ...user.terms.displayName])];
        return { account, at: Date.parse(user.createdAt), terms, facets: ['all'] };
    }
}

const tenantEntry = ({ name, domain, status, plan, createdAt }: Tenant): Entry => ({
    account: TENANT,
    at: Date.parse(createdAt),
    terms: [...new Set([...nameTerms(name), foldTerm(domain)])],
    facets: ['all', status, plan, facetOf({ status, plan })],
});

/** The list of those of a status and a plan, where they are given. */
export function facetOf({ status, plan }: { status?: string | undefined; plan?: string | undefined }): string {
    if (status !== undefined && plan !== undefined) return `${status}-${plan}`;
    return status ?? plan ?? 'all';
}
