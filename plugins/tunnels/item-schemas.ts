import Joi from 'joi';

import { pageParams, type PageParams } from '../../src/http/pagination.ts';
import { idSchema } from '../../src/ids.ts';

import type { Access } from './api.ts';
import type { EndpointView, PublicShare } from './public-tunnel.ts';

const time = () => Joi.string().isoDate();
const url = () =>
    Joi.string()
        .uri({ scheme: ['http', 'https'] })
        .max(2_048)
        // Names and passwords in addresses end up in logs.
        .pattern(/^https?:\/\/[^/?#@]+(\/[^?#]*)?$/i, 'no user, query or fragment in the address')
        .description('as the agent reaches it; one that was started with --managed follows it')
        .example('http://localhost:11434');
const priority = () => Joi.number().integer().min(0).max(1_000).description('the lowest healthy one first');
const weight = () => Joi.number().integer().min(1).max(1_000).description('among those of one priority');

export interface EndpointParams {
    tunnelId: string;
    endpointId: string;
}

export const endpointParams = Joi.object<EndpointParams>({
    tunnelId: idSchema('tun').required(),
    endpointId: idSchema('endpoint').required(),
}).label('EndpointParams');

export interface CreateEndpoint {
    url: string;
    priority: number;
    weight: number;
}

export const createEndpointPayload = Joi.object<CreateEndpoint>({
    url: url().required(),
    priority: priority().default(0),
    weight: weight().default(1),
})
    .example({ url: 'http://localhost:11434', priority: 0, weight: 1 })
    .label('CreateEndpoint');

export type UpdateEndpoint = Partial<CreateEndpoint>;

export const updateEndpointPayload = Joi.object<UpdateEndpoint>({ url: url(), priority: priority(), weight: weight() })
    .min(1)
    .example({ priority: 1 })
    .label('UpdateEndpoint');

export const itemQuery = Joi.object<PageParams>(pageParams({ usual: 20, most: 100 })).label('TunnelItemQuery');

const endpointSchema = Joi.object<EndpointView>({
    id: Joi.string(),
    tunnelId: Joi.string(),
    url: Joi.string(),
    priority: Joi.number().integer(),
    weight: Joi.number().integer(),
    isHealthy: Joi.boolean().allow(null).description('null: it was never checked'),
    latencyMs: Joi.number().allow(null),
    error: Joi.string().allow(null, '').description('why it is not healthy, or not used'),
    checkedAt: time().allow(null),
    revision: Joi.number().integer(),
    createdAt: time(),
    updatedAt: time(),
}).label('TunnelEndpoint');

export const endpointAnswer = Joi.object({ endpoint: endpointSchema }).label('TunnelEndpointData');
export const endpointsAnswer = Joi.object({
    endpoints: Joi.array().items(endpointSchema).label('TunnelEndpoints'),
}).label('TunnelEndpointsData');

export interface ShareParams {
    tunnelId: string;
    shareId: string;
}

export const shareParams = Joi.object<ShareParams>({
    tunnelId: idSchema('tun').required(),
    shareId: idSchema('share').required(),
}).label('ShareParams');

export interface CreateShare {
    userId?: string;
    access?: Access;
    maxUses?: number;
}

export const createSharePayload = Joi.object<CreateShare>({
    userId: idSchema('user').description('a user of your tenant; without one, a token is made'),
    access: Joi.string()
        .valid('read', 'write')
        .description('`read`, unless given: see and use it; `write`: change, start and stop it too'),
    maxUses: Joi.number().integer().min(1).max(1_000_000).description('of a token; any number unless given'),
})
    .with('access', 'userId')
    .without('userId', 'maxUses')
    .example({ userId: 'user_01K9ZQ4V7N8M3T5R2W6X1Y0DEF', access: 'read' })
    .label('CreateShare');

const shareSchema = Joi.object<PublicShare>({
    id: Joi.string(),
    tunnelId: Joi.string(),
    type: Joi.string().valid('user', 'token'),
    userId: Joi.string().allow(null),
    access: Joi.string().valid('read', 'write'),
    expiresAt: time().allow(null),
    maxUses: Joi.number().integer().allow(null),
    uses: Joi.number().integer(),
    lastUsedAt: time().allow(null),
    revision: Joi.number().integer(),
    createdAt: time(),
    updatedAt: time(),
}).label('TunnelShare');

export const newShareAnswer = Joi.object({
    share: shareSchema,
    token: Joi.string().optional().description('of a share without a user; shown in this answer only'),
}).label('NewTunnelShareData');
export const sharesAnswer = Joi.object({ shares: Joi.array().items(shareSchema).label('TunnelShares') }).label(
    'TunnelSharesData',
);
export const removedShareAnswer = Joi.object({
    share: Joi.object({ id: Joi.string() }).label('RemovedTunnelShare'),
}).label('RemovedTunnelShareData');

export const endpointExample: EndpointView = {
    id: 'endpoint_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    tunnelId: 'tun_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    url: 'http://localhost:11434',
    priority: 0,
    weight: 1,
    isHealthy: true,
    latencyMs: 3,
    error: null,
    checkedAt: '2026-11-20T10:31:30.000Z',
    revision: 1,
    createdAt: '2026-11-20T10:30:00.000Z',
    updatedAt: '2026-11-20T10:30:00.000Z',
};

export const shareExample: PublicShare = {
    id: 'share_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    tunnelId: 'tun_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    type: 'user',
    userId: 'user_01K9ZQ4V7N8M3T5R2W6X1Y0DEF',
    access: 'read',
    expiresAt: null,
    maxUses: null,
    uses: 0,
    lastUsedAt: null,
    revision: 1,
    createdAt: '2026-11-20T10:30:00.000Z',
    updatedAt: '2026-11-20T10:30:00.000Z',
};
