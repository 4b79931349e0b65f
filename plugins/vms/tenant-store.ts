import { DueTenants } from '../../src/redis/due-tenants.ts';

import type { Datastore } from '../../src/redis/datastore.ts';

/** A tenant is looked at once a minute; a look may begin a little before. */
const LOOK_EVERY_MS = 50_000;

/** Which tenants have VMs. */
export const createTenantStore = (store: Datastore): DueTenants => new DueTenants(store, 'vm-tenants', LOOK_EVERY_MS);

export type TenantStore = DueTenants;
