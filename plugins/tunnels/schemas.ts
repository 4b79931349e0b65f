import Joi from 'joi';

import { pageParams, type PageParams } from '../../src/http/pagination.ts';
import { idSchema } from '../../src/ids.ts';
import { resourceName } from '../projects/api.ts';

import type { TunnelConfig, TunnelStatus } from './api.ts';
import type { ActivityEntry } from './link-store.ts';
import type { LinkStatus, PublicTunnel, TunnelHealth } from './public-tunnel.ts';

const STATUSES: TunnelStatus[] = ['created', 'connecting', 'connected', 'disconnected', 'error'];
const time = () => Joi.string().isoDate();
const status = () => Joi.string().valid(...STATUSES);
const desired = () => Joi.string().valid('running', 'stopped').description('what its user wants');

export interface TunnelParams {
    tunnelId: string;
}

export const tunnelParams = Joi.object<TunnelParams>({ tunnelId: idSchema('tun').required() }).label('TunnelParams');

const config = () =>
    Joi.object<Partial<TunnelConfig>>({
        maxConnections: Joi.number().integer().min(1).max(10_000).description('calls at the same time; 100'),
        timeout: Joi.number()
            .integer()
            .min(1_000)
            .max(300_000)
            .description('to the first byte of an answer, in milliseconds; 30000'),
        compression: Joi.boolean().description('answers in text are compressed where the client takes that; false'),
    }).label('TunnelSettings');

export interface CreateTunnel {
    name: string;
    config?: Partial<TunnelConfig>;
}

export const createTunnelPayload = Joi.object<CreateTunnel>({ name: resourceName().required(), config: config() })
    .example({ name: 'ollama-at-home', config: { timeout: 60_000 } })
    .label('CreateTunnel');

export interface UpdateTunnel {
    name?: string;
    config?: Partial<TunnelConfig>;
    reset?: boolean;
}

export const updateTunnelPayload = Joi.object<UpdateTunnel>({
    name: resourceName(),
    config: config(),
    reset: Joi.boolean().description('first of all every setting gets its default'),
})
    .min(1)
    .example({ config: { maxConnections: 20 } })
    .label('UpdateTunnel');

export interface TunnelQuery extends PageParams {
    shared: boolean;
}

export const tunnelQuery = Joi.object<TunnelQuery>({
    ...pageParams({ usual: 20, most: 100 }),
    shared: Joi.boolean().default(false).description('those that others share with you, in place of your own'),
}).label('TunnelQuery');

const tunnelSchema = Joi.object<PublicTunnel>({
    id: Joi.string(),
    userId: Joi.string(),
    name: Joi.string(),
    config: Joi.object<TunnelConfig>({
        maxConnections: Joi.number().integer(),
        timeout: Joi.number().integer(),
        compression: Joi.boolean(),
    }).label('TunnelConfig'),
    status: status(),
    desired: desired(),
    tokenChangedAt: time(),
    agent: Joi.string().allow(null, '').description('how the agent calls itself'),
    connectedAt: time().allow(null),
    disconnectedAt: time().allow(null),
    reason: Joi.string().allow(null, '').description('why it is not connected any more'),
    access: Joi.string().valid('owner', 'read', 'write').description('what you may do with it'),
    revision: Joi.number().integer(),
    createdAt: time(),
    updatedAt: time(),
}).label('Tunnel');

export const tunnelAnswer = Joi.object({ tunnel: tunnelSchema }).label('TunnelData');
export const newTunnelAnswer = Joi.object({
    tunnel: tunnelSchema,
    token: Joi.string().description('of the agent; shown in this answer only'),
}).label('NewTunnelData');
export const tunnelsAnswer = Joi.object({ tunnels: Joi.array().items(tunnelSchema).label('Tunnels') }).label(
    'TunnelsData',
);

export const statusAnswer = Joi.object({
    status: Joi.object<LinkStatus>({
        status: status(),
        desired: desired(),
        isConnected: Joi.boolean(),
        agent: Joi.string().allow(null, ''),
        connectedAt: time().allow(null),
        disconnectedAt: time().allow(null),
        reason: Joi.string().allow(null, ''),
    }).label('TunnelStatus'),
}).label('TunnelStatusData');

const target = Joi.object<TunnelHealth['targets'][number]>({
    endpoint: Joi.string(),
    isHealthy: Joi.boolean(),
    latencyMs: Joi.number().allow(null),
    error: Joi.string().allow(null, ''),
    checkedAt: time(),
}).label('TunnelTarget');

export const healthAnswer = Joi.object({
    health: Joi.object<TunnelHealth>({
        state: Joi.string()
            .valid('healthy', 'degraded', 'unhealthy', 'unknown')
            .description('unknown: it is not connected, or nothing was checked yet'),
        isConnected: Joi.boolean(),
        targets: Joi.array().items(target).label('TunnelTargets'),
    }).label('TunnelHealth'),
}).label('TunnelHealthData');

export interface ActivityQuery {
    limit: number;
}

export const activityQuery = Joi.object<ActivityQuery>({
    limit: Joi.number().integer().min(1).max(1_000).default(100),
}).label('TunnelActivityQuery');

export const activityAnswer = Joi.object({
    entries: Joi.array()
        .items(
            Joi.object<ActivityEntry>({
                id: Joi.string(),
                type: Joi.string(),
                at: time(),
                userId: Joi.string().allow(null),
                details: Joi.object().unknown().label('TunnelActivityDetails'),
            }).label('TunnelActivity'),
        )
        .label('TunnelActivities'),
}).label('TunnelActivityData');

export const tokenExample =
    'tun_01K9ZQ4V7N8M3T5R2W6X1Y0ABC01K9ZQ4V7N8M3T5R2W6X1Y0ABC_mH1vZ0cQyW5o2bq7u9sXk3dRr8tLpEfGjNaVwYxU4iM';

export const tunnelExample: PublicTunnel = {
    id: 'tun_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    userId: 'user_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    name: 'ollama-at-home',
    config: { maxConnections: 100, timeout: 60_000, compression: false },
    status: 'created',
    desired: 'stopped',
    tokenChangedAt: '2026-11-20T10:30:00.000Z',
    agent: null,
    connectedAt: null,
    disconnectedAt: null,
    reason: null,
    access: 'owner',
    revision: 1,
    createdAt: '2026-11-20T10:30:00.000Z',
    updatedAt: '2026-11-20T10:30:00.000Z',
};

export const statusExample: LinkStatus = {
    status: 'connected',
    desired: 'running',
    isConnected: true,
    agent: 'llm-tunnel/1.0.0',
    connectedAt: '2026-11-20T10:31:00.000Z',
    disconnectedAt: null,
    reason: null,
};

export const healthExample: TunnelHealth = {
    state: 'healthy',
    isConnected: true,
    targets: [
        {
            endpoint: 'endpoint_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
            isHealthy: true,
            latencyMs: 3,
            error: null,
            checkedAt: '2026-11-20T10:31:30.000Z',
        },
    ],
};

export const activityExample: ActivityEntry = {
    id: '1795170660000-0',
    type: 'status_changed',
    at: '2026-11-20T10:31:00.000Z',
    userId: null,
    details: { from: 'connecting', to: 'connected', agent: 'llm-tunnel/1.0.0' },
};
