import { PLATFORM, tenantKey } from './keys.ts';
import { luaFile } from './lua-file.ts';

import type { Datastore } from './datastore.ts';
import type { Migration } from './migrations.ts';

const TENANTS_AT_ONCE = 20;

/**
 * Where tenants are found, in that order. Claims come first: a tenant that is created meanwhile leaves them for the end
 * of the list of tenants, which is in the order in which they got there.
 */
const INDEXES = ['domain-claims', 'tenants'] as const;

interface Place {
    index: (typeof INDEXES)[number];
    /** Of the last one that was migrated. */
    score: string;
    member: string;
}

const FIRST: Place = { index: INDEXES[0], score: '', member: '' };

/** Notes that the tenant is migrated, in its own slot: for the scripts that include `migrating.lua`. */
export const migrationNote = (tenantId: string): string => tenantKey(tenantId, 'migrated');

/** Migrates tenant by tenant, the platform's own among them: some at a time, in steps that may each be done twice. */
export const eachTenant =
    (prepare: (store: Datastore) => (tenantId: string) => Promise<unknown>): Migration['prepare'] =>
    (store) => {
        const page = store.script(luaFile('page-ids'));
        const migrate = prepare(store);
        return async (cursor) => {
            const { index, score, member } = cursor === '' ? FIRST : (JSON.parse(cursor) as Place);
            const found = await page([tenantKey(PLATFORM, index)], ['asc', TENANTS_AT_ONCE, score, member]);
            const [more, last, ...members] = found as [number, string, ...string[]];
            // Of a claim: "<tenant id> <domain>".
            const tenantIds = new Set(members.map((each) => each.split(' ', 1)[0] ?? ''));
            await Promise.all([...tenantIds].map(migrate));
            if (more === 1) return place({ index, score: last, member: members.at(-1) ?? '' });
            return index === 'tenants' ? null : place({ ...FIRST, index: 'tenants' });
        };
    };

const place = (next: Place): string => JSON.stringify(next);
