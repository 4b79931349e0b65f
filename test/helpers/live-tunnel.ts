import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

import { startApp, type AppOptions, type TestApp } from './app.ts';
import { freePort } from './free-ports.ts';
import { newTenant, type TestTenant } from './tenant.ts';
import { close, runAgent, until, type RunningAgent } from './tunnel-agent.ts';
import { tenantKey } from '../../src/redis/keys.ts';

import type { AddressInfo } from 'node:net';
import type { AgentTimings } from '../../plugins/tunnels/agent/agent.ts';

export const INTERNAL_KEY = 'a key that only the replicas know of';

/** Two replicas that listen, for clients and for each other. */
export async function startListeningReplicas(options: AppOptions = {}): Promise<[TestApp, TestApp]> {
    const start = async (config: AppOptions['config'] = {}) =>
        startApp({
            ...options,
            listen: true,
            config: { INTERNAL_KEY, INTERNAL_PORT: await freePort(), ...options.config, ...config },
        });
    const first = await start();
    const { JWT_KEYS, VAULT_KEYS } = first.config;
    return [first, await start({ JWT_KEYS, VAULT_KEYS })];
}

/** A tunnel of a fresh tenant's admin that an agent may connect to. */
export interface TestTunnel {
    tenant: TestTenant;
    tunnelId: string;
    token: string;
    status: () => Promise<string>;
}

export async function newTunnel(app: TestApp, config: object = {}): Promise<TestTunnel> {
    const tenant = await newTenant(app);
    const payload = { name: `tunnel-${randomBytes(4).toString('hex')}`, config };
    const { body, status, text } = await tenant.call('POST', '/api/tunnels', { payload });
    if (status !== 201) throw new Error(`No tunnel: ${text}`);
    const { tunnel, token } = body.data;
    const started = await tenant.call('POST', `/api/tunnels/${tunnel.id}/start`);
    if (started.status >= 300) throw new Error(`Not started: ${started.text}`);
    const ofTunnel = async () => {
        const answer = await tenant.call('GET', `/api/tunnels/${tunnel.id}`);
        return String(answer.body.data.tunnel.status);
    };
    return { tenant, tunnelId: tunnel.id, token, status: ofTunnel };
}

/** An agent in this process that holds a link to that replica. */
export async function connectAgent(
    app: TestApp,
    tunnel: TestTunnel,
    targets: string[],
    timings: Partial<AgentTimings> = {},
    more: string[] = [],
): Promise<RunningAgent> {
    const agent = runAgent(app.server.info.uri, targets, timings, more, tunnel.token);
    await until(async () => (await tunnel.status()) === 'connected');
    // It says so a moment before it can be found.
    const key = tenantKey(tunnel.tenant.tenantId, 'tunnel', tunnel.tunnelId, 'link');
    await until(async () => (await app.redis.exists(key)) === 1);
    return agent;
}

type Init = Omit<RequestInit, 'headers'> & { headers?: Record<string, string> };

/** A request to a tunnel, over a real connection. */
export const through = (app: TestApp, { tunnelId, tenant }: TestTunnel, path: string, init: Init = {}) =>
    fetch(`${app.server.info.uri}/api/tunnels/${tunnelId}/http${path}`, {
        ...init,
        headers: { authorization: `Bearer ${tenant.accessToken}`, ...init.headers },
    });

export interface TestService {
    url: string;
    stop: () => Promise<void>;
}

/** A service behind a tunnel. */
export async function startService(
    handler: (request: IncomingMessage, response: ServerResponse) => unknown,
    port = 0,
): Promise<TestService> {
    const server: Server = createServer(handler);
    await once(server.listen(port, '127.0.0.1'), 'listening');
    return {
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        stop: () => close(server),
    };
}
