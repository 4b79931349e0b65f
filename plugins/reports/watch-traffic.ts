import { TrafficStore } from './traffic-store.ts';
import { Traffic } from './traffic.ts';
import { newId } from '../../src/ids.ts';
import { PLATFORM } from '../../src/redis/keys.ts';
import { SeenTenants } from '../../src/redis/seen-tenants.ts';

import type { Request, Server } from '@hapi/hapi';
import type { Platform } from '../../src/platform.ts';
import type { DueTenants } from '../../src/redis/due-tenants.ts';

/** Probes, metrics and pages are no requests of anybody. */
const COUNTED = /^\/(api|v1)\//;
const TENANT_ID = /^tenant_[0-9A-HJKMNP-TV-Z]{26}$/;

/** Counts the requests of this process, and notes whose they are; gives what tells the store of them. */
export function watchTraffic(
    server: Server,
    { store, clock, logger, drain }: Platform,
    due: DueTenants,
    everyMs: number,
): () => Promise<void> {
    const traffic = new Traffic(new TrafficStore(store), newId('run'), logger);
    const seen = new SeenTenants({ note: (tenantId) => due.noteOften(tenantId, clock()) }, logger, 'reports');
    server.events.on('response', (request) => {
        if (!COUNTED.test(request.path)) return;
        const { app, auth } = request;
        const actor = auth.isAuthenticated ? auth.credentials.actor : null;
        // Who runs the platform is none of its users.
        const userId = actor?.tenantId === PLATFORM ? undefined : actor?.userId;
        traffic.count({ at: clock(), errorCode: app.errorCode, userId });
        if (actor) for (const tenantId of [actor.tenantId, ...namedIn(request)]) seen.add(tenantId);
    });

    const flush = async () => void (await Promise.all([traffic.flush(), seen.flush()]));
    const timer = setInterval(() => void flush(), everyMs).unref();
    server.ext('onPostStop', async () => {
        clearInterval(timer);
        // The last requests were answered while the server stopped.
        if (drain.isDraining) await flush();
    });
    return flush;
}

/** Tenants that a platform admin has done something to. */
function namedIn({ params, payload }: Request): string[] {
    const body: unknown = payload;
    const inBody = typeof body === 'object' && body !== null && 'tenantId' in body ? body.tenantId : undefined;
    const named: unknown[] = [params.tenantId, inBody];
    return named.filter((id) => typeof id === 'string').filter((id) => TENANT_ID.test(id));
}
