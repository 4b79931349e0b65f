import { tenantKey } from './keys.ts';
import { apiError, type ApiError } from '../http/errors.ts';

import type { Datastore } from './datastore.ts';

/** Seconds: a restore takes about as long, once nobody changes anything any more. */
const RETRY_AFTER = 15;

/** For whoever comes while the tenant is locked; it is told by `restoring` in the tenant's record. */
export const restoringError = (): ApiError => apiError('TENANT_RESTORING', { retryAfter: RETRY_AFTER });

/** For ways into a tenant that no admission guards. @throws TENANT_RESTORING */
export async function refuseWhileRestoring(redis: Datastore['redis'], tenantId: string): Promise<void> {
    if ((await redis.hexists(tenantKey(tenantId, 'info'), 'restoring')) === 1) throw restoringError();
}
