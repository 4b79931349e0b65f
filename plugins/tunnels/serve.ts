import { createEndpoint } from './routes/create-endpoint.ts';
import { createShare } from './routes/create-share.ts';
import { createTunnel } from './routes/create-tunnel.ts';
import { deleteEndpoint } from './routes/delete-endpoint.ts';
import { deleteShare } from './routes/delete-share.ts';
import { deleteTunnel } from './routes/delete-tunnel.ts';
import { getActivity } from './routes/get-activity.ts';
import { getAllMetrics } from './routes/get-all-metrics.ts';
import { getDiagnostics } from './routes/get-diagnostics.ts';
import { getHealth } from './routes/get-health.ts';
import { getMetrics } from './routes/get-metrics.ts';
import { getStatus } from './routes/get-status.ts';
import { getTunnel } from './routes/get-tunnel.ts';
import { listEndpoints } from './routes/list-endpoints.ts';
import { listShares } from './routes/list-shares.ts';
import { listTunnels } from './routes/list-tunnels.ts';
import { rotateToken } from './routes/rotate-token.ts';
import { startTunnel } from './routes/start-tunnel.ts';
import { stopTunnel } from './routes/stop-tunnel.ts';
import { updateEndpoint } from './routes/update-endpoint.ts';
import { updateTunnel } from './routes/update-tunnel.ts';

import type { Server } from '@hapi/hapi';
import type { Diagnostics } from './diagnostics-service.ts';
import type { TunnelItems } from './item-service.ts';
import type { MetricsService } from './metrics-service.ts';
import type { Tunnels } from './service.ts';

export interface Served {
    tunnels: Tunnels;
    items: TunnelItems;
    metrics: MetricsService;
    diagnostics: Diagnostics;
}

/** Adds the routes that users see, apart from the traffic. */
export function serve(server: Server, { tunnels, items, metrics, diagnostics }: Served): void {
    server.route(createTunnel(tunnels));
    server.route(listTunnels(tunnels));
    server.route(getTunnel(tunnels));
    server.route(updateTunnel(tunnels));
    server.route(deleteTunnel(tunnels));
    server.route(startTunnel(tunnels));
    server.route(stopTunnel(tunnels));
    server.route(rotateToken(tunnels));
    server.route(getAllMetrics(metrics));
    server.route(getMetrics(metrics));
    server.route(createEndpoint(items));
    server.route(listEndpoints(items));
    server.route(updateEndpoint(items));
    server.route(deleteEndpoint(items));
    server.route(createShare(items));
    server.route(listShares(items));
    server.route(deleteShare(items));
    server.route(getStatus(items));
    server.route(getHealth(items));
    server.route(getDiagnostics(diagnostics));
    server.route(getActivity(items));
}
