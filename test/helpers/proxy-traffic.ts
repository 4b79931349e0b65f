import Hapi from '@hapi/hapi';
import HapiPino from 'hapi-pino';

import { noteRefusals } from './seen-codes.ts';
import { permissionsOf } from '../../plugins/auth/permissions.ts';
import { openTraffic, type Traffic, type TrafficTimings } from '../../plugins/proxies/traffic/open-traffic.ts';
import { Drain } from '../../src/drain.ts';
import { clientAddress } from '../../src/http/client-address.ts';
import { apiError } from '../../src/http/errors.ts';
import { responses } from '../../src/http/responses.ts';
import { newId } from '../../src/ids.ts';
import { tenantKey } from '../../src/redis/keys.ts';
import { Signals } from '../../src/redis/signals.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { requestLog } from '../../src/telemetry/request-log.ts';

import type { TestApp } from './app.ts';
import type { TestTenant } from './tenant.ts';
import type {
    MemberHealth,
    Proxy,
    ProxyConfig,
    ProxyMember,
    ProxyPlace,
    ProxyRecords,
    ProxyUser,
} from '../../plugins/proxies/api.ts';
import type { Platform } from '../../src/platform.ts';

type Note = Parameters<ProxyRecords['note']>[2] & { tunnelId: string };

const CONFIG: ProxyConfig = {
    maxConnections: 100,
    timeout: 30_000,
    retries: 3,
    backoff: 100,
    healthInterval: 30_000,
    healthTimeout: 5_000,
    healthPath: '/',
    autoScale: false,
};

export interface ProxyChanges extends Partial<Pick<Proxy, 'strategy' | 'replicas' | 'status'>> {
    config?: Partial<ProxyConfig>;
}

/** Stands in for the records of proxies, of all replicas alike; those of a stopped one take no requests. */
export class StandInProxies implements ProxyRecords {
    readonly proxies = new Map<string, Proxy>();
    readonly health = new Map<string, MemberHealth>();
    readonly notes: Note[] = [];
    uses = 0;

    /** A new proxy of a user. Members without a weight have 1. */
    async add(
        app: TestApp,
        user: ProxyUser,
        members: (Partial<ProxyMember> & { tunnelId: string })[],
        { config, ...changes }: ProxyChanges = {},
    ): Promise<Proxy> {
        const now = new Date().toISOString();
        const proxy: Proxy = {
            id: newId('proxy'),
            revision: 1,
            createdAt: now,
            updatedAt: now,
            userId: user.userId,
            name: 'a-proxy',
            members: members.map((member) => ({ priority: 1, weight: 1, ...member })),
            strategy: 'priority',
            config: { ...CONFIG, ...config },
            replicas: 1,
            status: 'running',
            desired: 'running',
            reason: null,
            statusChangedAt: now,
            lastUsedAt: null,
            ...changes,
        };
        this.proxies.set(`${user.tenantId}/${proxy.id}`, proxy);
        await app.redis.hset(this.key({ tenantId: user.tenantId, proxyId: proxy.id }), 'id', proxy.id);
        return proxy;
    }

    find({ tenantId, proxyId }: ProxyPlace): Proxy {
        const proxy = this.proxies.get(`${tenantId}/${proxyId}`);
        if (!proxy) throw apiError('PROXY_NOT_FOUND');
        return proxy;
    }

    isUnhealthy(tunnelId: string, isHealthy = false): void {
        const seen = { failures: 3, successes: 0, checkedAt: null, latencyMs: null, error: 'offline' };
        this.health.set(tunnelId, { isHealthy, ...seen });
    }

    get = async ({ tenantId }: ProxyUser, proxyId: string): Promise<Proxy> => this.find({ tenantId, proxyId });

    use = async (user: ProxyUser, proxyId: string) => {
        this.uses++;
        const proxy = await this.get(user, proxyId);
        if (proxy.status === 'stopped') throw apiError('PROXY_STOPPED');
        return { proxy, health: this.health };
    };

    note = async (_place: ProxyPlace, tunnelId: string, seen: Parameters<ProxyRecords['note']>[2]): Promise<void> => {
        this.notes.push({ tunnelId, ...seen });
    };

    key = ({ tenantId, proxyId }: ProxyPlace): string => tenantKey(tenantId, 'proxy', proxyId);
}

/** A replica's traffic of proxies, with its routes, through the tunnels of a test app. */
export interface TestTraffic extends Traffic {
    uri: string;
    drain: Drain;
    /** An administrator of that tenant may use it from now on. */
    admit: (tenant: TestTenant, permissions?: string[]) => void;
    call: (tenant: TestTenant, method: string, url: string) => Promise<Hapi.ServerInjectResponse>;
    stop: (timeoutMs?: number) => Promise<void>;
}

export async function startTraffic(
    app: TestApp,
    records: ProxyRecords,
    timings: Partial<TrafficTimings> = {},
    tunnels: Parameters<typeof openTraffic>[2]['tunnels'] = app.server.plugins.tunnels,
): Promise<TestTraffic> {
    const logger = createLogger({ level: 'silent', pretty: false });
    const signals = new Signals(app.redis, logger);
    const drain = new Drain();
    const server = Hapi.server({
        host: '127.0.0.1',
        port: 0,
        routes: {
            validate: {
                failAction: (_request, _h, error) => {
                    throw error ?? new Error('Validation failed without an error');
                },
            },
        },
    });
    await server.register({ plugin: clientAddress, options: { trustedProxies: [], requireHttps: false } });
    await server.register({ plugin: responses, options: { clock: Date.now } });
    await server.register({ plugin: HapiPino, options: requestLog(logger) });
    noteRefusals(server);
    const users = new Map<string, { tenant: TestTenant; permissions: string[] }>();
    server.auth.scheme('known', () => ({
        authenticate: (request, h) => {
            const user = users.get(String(request.headers.authorization));
            if (!user) throw apiError('UNAUTHENTICATED');
            const { tenant, permissions } = user;
            const actor = { tenantId: tenant.tenantId, userId: tenant.userId, permissions };
            return h.authenticated({ credentials: { scope: permissions, actor } as unknown as Hapi.AuthCredentials });
        },
    }));
    server.auth.strategy('user', 'known');
    server.auth.default('user');
    const platform = { config: app.config, store: app.store, clock: Date.now, signals, logger, drain };
    const traffic = openTraffic(server, platform as unknown as Platform, { records, tunnels }, timings);
    await server.start();
    const bearer = ({ accessToken }: TestTenant) => `Bearer ${accessToken}`;
    return {
        ...traffic,
        uri: server.info.uri,
        drain,
        admit: (tenant, permissions = permissionsOf('admin', tenant.tenantId)) => {
            users.set(bearer(tenant), { tenant, permissions });
        },
        call: (tenant, method, url) => server.inject({ method, url, headers: { authorization: bearer(tenant) } }),
        stop: async (timeout = 1_000) => {
            await server.stop({ timeout });
            signals.close();
        },
    };
}
