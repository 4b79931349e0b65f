import { Agent as HttpClient } from 'undici';

import { InternalListener, internalSettings } from './internal-listener.ts';
import { LinkProbe } from './link-probe.ts';
import { Links } from './links.ts';
import { RegistryStore } from './registry-store.ts';
import { RelayService } from './relay-service.ts';
import { takeUpgrades } from './upgrade.ts';
import { isSecure } from '../../../src/http/client-address.ts';
import { relayRoute } from '../../../src/relay/relay-route.ts';
import { noTracing } from '../../../src/telemetry/tracing.ts';
import { TUNNEL_ERRORS, type TunnelRecords, type TunnelService } from '../api.ts';

import type { Server } from '@hapi/hapi';
import type { Platform } from '../../../src/platform.ts';
import type { CredentialOptions } from '../../auth/api.ts';

/** Users, their keys and the tokens of shares. */
const TRAFFIC = 'tunnel-traffic';
const HEARTBEAT_MS = 10_000;
const LIFETIME_MS = 30_000;
const CONNECT_TIMEOUT_MS = 2_000;

export interface Gateway extends Pick<TunnelService, 'relay'> {
    diagnose: LinkProbe['diagnose'];
}

/** The API's end of tunnels: takes agents' connections, and sends requests to wherever the link is. */
export function openGateway(server: Server, platform: Platform, tunnels: TunnelRecords): Gateway {
    const { config, store, signals, logger, drain, metrics, tracing = noTracing } = platform;
    const registry = new RegistryStore(store, LIFETIME_MS);
    const settings = internalSettings(config);
    const links: Links = new Links({
        signals,
        logger,
        drain,
        tunnels,
        registry,
        address: () => listener?.address ?? '',
        heartbeatMs: HEARTBEAT_MS,
    });
    const help = 'Tunnels whose agents are connected to this process';
    metrics.gauge('tunnel_connections_active', help, (set) => set(links.count));
    const listener = settings && new InternalListener(settings, { links, tunnels, logger, tracing });
    // The deadlines are the tunnel's.
    const dispatcher = new HttpClient({
        headersTimeout: 0,
        bodyTimeout: 0,
        connect: { timeout: CONNECT_TIMEOUT_MS },
    });
    const remote = settings && { dispatcher, key: settings.key, now: Date.now };
    const relays = new RelayService({ tunnels, links, registry, remote, signals, logger, tracing });
    const isAllowed = isSecure(config.TRUSTED_PROXIES, config.REQUIRE_HTTPS);
    takeUpgrades(server, { tunnels, links, drain, logger, isAllowed });
    const options: CredentialOptions = { passes: tunnels.passes };
    server.auth.strategy(TRAFFIC, 'credential', options);
    server.route(
        relayRoute({
            summary: 'Send a request through a tunnel',
            records: 'tunnels',
            param: 'tunnelId',
            idPrefix: 'tun',
            auth: { strategy: TRAFFIC, access: { scope: 'tunnel:read' } },
            errors: TUNNEL_ERRORS,
            relay: relays.relay,
        }),
    );

    server.ext('onPreStart', async () => {
        await listener?.start();
        await links.start();
        await relays.start();
    });
    // A process that drains lets its links end by themselves.
    server.ext('onPreStop', () => (drain.isDraining ? undefined : links.stop()));
    server.ext('onPostStop', async () => {
        await links.stop();
        relays.stop();
        await listener?.stop();
        await dispatcher.destroy();
    });
    return { relay: relays.relay, diagnose: new LinkProbe({ tunnels, links, registry, remote }).diagnose };
}
