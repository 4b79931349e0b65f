import { PLATFORM, tenantKey } from '../../src/redis/keys.ts';

import type { Datastore } from '../../src/redis/datastore.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

/** A tenant is looked at once a minute; a look may begin a little before. */
const LOOK_EVERY_MS = 50_000;
/** Longer than any request. */
const NOTE_HOLDS_MS = 120_000;
const BATCH = 50;

const due = tenantKey(PLATFORM, 'vm-tenants');
const noted = tenantKey(PLATFORM, 'vm-tenants', 'noted');

/** Which tenants have VMs, in the platform's slot. */
export function createTenantStore(store: Datastore) {
    const note = store.script(lua('note-tenant'));
    const take = store.script(lua('take-tenants'));
    const forget = store.script(lua('forget-tenant'));
    return {
        /** Before a VM is created: whatever becomes of that, the tenant is looked at. */
        note: async (tenantId: string): Promise<void> => {
            await note([due, noted], [tenantId]);
        },
        /** Some that are due; nobody else gets them before they are due again. */
        take: async (): Promise<string[]> => (await take([due], [LOOK_EVERY_MS, BATCH])) as string[],
        /** Of one without VMs. */
        forget: async (tenantId: string): Promise<boolean> =>
            (await forget([due, noted], [tenantId, NOTE_HOLDS_MS])) === 1,
    };
}

export type TenantStore = ReturnType<typeof createTenantStore>;
