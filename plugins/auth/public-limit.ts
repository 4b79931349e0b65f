import { apiError } from '../../src/http/errors.ts';
import { bucketOf } from '../../src/http/rate-limit.ts';
import { isStoreUnavailable } from '../../src/redis/client.ts';

import type { Lifecycle, Request } from '@hapi/hapi';
import type { AdmissionStore } from './admission-store.ts';
import type { RateLimit } from '../../src/http/rate-limit.ts';

/**
 * Counts requests to public routes that have a limit, by IP address; the others are counted when they authenticate.
 * While nothing can be counted, what only reads is let through, to tell how things are. What tries passwords or tokens
 * is not.
 */
export const publicLimit =
    (store: AdmissionStore): Lifecycle.Method =>
    async (request, h) => {
        const { app, auth } = request.route.settings;
        if (!app?.rateLimit || !isPublic(auth)) return h.continue;
        const use = await count(store, request, app.rateLimit);
        if (!use) return h.continue;
        request.app.rate = use.rate;
        if (!use.isWithin) throw apiError('RATE_LIMITED', { retryAfter: use.wait / 1000 });
        return h.continue;
    };

/** A route that says nothing has the default, which requires a credential. */
const isPublic = (auth: unknown): boolean => auth === false;

/** Nothing when the store is away and the request only reads. */
async function count(store: AdmissionStore, request: Request, limit: RateLimit) {
    try {
        return await store.limit(bucketOf(request), request.app.client.ipAddress, limit);
    } catch (error) {
        if (request.route.method === 'get' && isStoreUnavailable(error)) return undefined;
        throw error;
    }
}
