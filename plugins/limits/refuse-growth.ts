import { apiError } from '../../src/http/errors.ts';

import type { Lifecycle } from '@hapi/hapi';
import type { StoreMemory } from '../../src/redis/memory-watch.ts';

const RETRY_AFTER_SECONDS = 30;

/** Refuses what makes new data while Redis is nearly full, before Redis itself would refuse anything. @throws STORE_FULL */
export const refuseGrowth =
    (memory: StoreMemory): Lifecycle.Method =>
    ({ route }, h) => {
        if (memory.isFull && route.settings.app?.grows) {
            throw apiError('STORE_FULL', { retryAfter: RETRY_AFTER_SECONDS });
        }
        return h.continue;
    };
