import { createProxy } from './routes/create-proxy.ts';
import { deleteProxy } from './routes/delete-proxy.ts';
import { getDiagnostics } from './routes/get-diagnostics.ts';
import { getHealth } from './routes/get-health.ts';
import { getProxy } from './routes/get-proxy.ts';
import { getStatus } from './routes/get-status.ts';
import { listProxies } from './routes/list-proxies.ts';
import { scaleProxy } from './routes/scale-proxy.ts';
import { startProxy } from './routes/start-proxy.ts';
import { stopProxy } from './routes/stop-proxy.ts';
import { updateProxy } from './routes/update-proxy.ts';

import type { Server } from '@hapi/hapi';
import type { Diagnosis } from './diagnosis.ts';
import type { Proxies } from './service.ts';

/** Adds the routes that users see, apart from the traffic. */
export function serve(server: Server, proxies: Proxies, diagnosis: Diagnosis): void {
    server.route(createProxy(proxies));
    server.route(listProxies(proxies));
    server.route(getProxy(proxies));
    server.route(updateProxy(proxies));
    server.route(deleteProxy(proxies));
    server.route(startProxy(proxies));
    server.route(stopProxy(proxies));
    server.route(scaleProxy(proxies));
    server.route(getStatus(proxies));
    server.route(getHealth(proxies));
    server.route(getDiagnostics(diagnosis));
}
