import { apiError } from '../../src/http/errors.ts';
import { bucketOf } from '../../src/http/rate-limit.ts';

import type { Lifecycle } from '@hapi/hapi';
import type { AdmissionStore } from './admission-store.ts';

/** Counts requests to public routes that have a limit, by IP address; the others are counted when they authenticate. */
export const publicLimit =
    (store: AdmissionStore): Lifecycle.Method =>
    async (request, h) => {
        const { app, auth } = request.route.settings;
        if (!app?.rateLimit || auth) return h.continue;
        const { isWithin, rate, wait } = await store.limit(
            bucketOf(request),
            request.app.client.ipAddress,
            app.rateLimit,
        );
        request.app.rate = rate;
        if (!isWithin) throw apiError('RATE_LIMITED', { retryAfter: wait / 1000 });
        return h.continue;
    };
