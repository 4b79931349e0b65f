import { apiError } from '../../src/http/errors.ts';
import { PLATFORM } from '../../src/redis/keys.ts';

import type { Lifecycle } from '@hapi/hapi';
import type { OperationsPort, PlatformSettings } from './api.ts';

/** Seconds: nobody knows when it is over. */
const RETRY_AFTER = 60;
/** Pages, documents, probes and metrics are not of the API, and are served. */
const IS_API = /^\/(api|v1)\//;

/** Refuses whoever is not of the platform's own tenant. */
export const maintenanceCheck =
    (settings: () => PlatformSettings): OperationsPort['checkMaintenance'] =>
    (tenantId) => {
        const { isOn, message } = settings().maintenance;
        if (!isOn || tenantId === PLATFORM) return;
        throw apiError('MAINTENANCE', { retryAfter: RETRY_AFTER, ...(message !== null && { details: { message } }) });
    };

/** Refuses public routes in maintenance, unless they say that they are served; the others are for authentication. */
export const refusePublic =
    (check: OperationsPort['checkMaintenance']): Lifecycle.Method =>
    ({ route }, h) => {
        const { app, auth } = route.settings;
        const isPublic = (auth as unknown) === false;
        if (isPublic && IS_API.test(route.path) && app?.inMaintenance !== true) check(null);
        return h.continue;
    };
