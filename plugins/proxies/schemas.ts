import Joi from 'joi';

import { pageParams, type PageParams } from '../../src/http/pagination.ts';
import { idSchema } from '../../src/ids.ts';
import { isSafePath } from '../../src/relay/safe-path.ts';
import { resourceName } from '../projects/api.ts';

import type { Proxy, ProxyConfig, ProxyMember, ProxyStatus, ProxyStrategy } from './api.ts';

const STATUSES: ProxyStatus[] = ['created', 'running', 'degraded', 'error', 'stopped'];
const STRATEGIES: ProxyStrategy[] = ['priority', 'round_robin', 'least_connections'];
const MOST_MEMBERS = 20;
export const MOST_REPLICAS = 10;

export const time = () => Joi.string().isoDate();
export const status = () =>
    Joi.string()
        .valid(...STATUSES)
        .description('running: every member is healthy; degraded: some are; error: none is');
export const desired = () => Joi.string().valid('running', 'stopped').description('what its user wants');
export const reason = () => Joi.string().allow(null).description('why it is stopped or in error');
const strategy = () =>
    Joi.string()
        .valid(...STRATEGIES)
        .description('how the next member is chosen, among those that are healthy');

export interface ProxyParams {
    proxyId: string;
}

export const proxyParams = Joi.object<ProxyParams>({ proxyId: idSchema('proxy').required() }).label('ProxyParams');

const milliseconds = (least: number, most: number, what: string) =>
    Joi.number().integer().min(least).max(most).description(`in milliseconds, ${what}`);

const config = () =>
    Joi.object<Partial<ProxyConfig>>({
        maxConnections: Joi.number()
            .integer()
            .min(1)
            .max(10_000)
            .description('calls at the same time, of each replica; 100'),
        timeout: milliseconds(1_000, 300_000, 'to the first byte of an answer; 30000'),
        retries: Joi.number().integer().min(0).max(10).description('how often a request that failed is tried again; 3'),
        backoff: milliseconds(100, 60_000, 'before the first of them, doubling; 1000'),
        healthInterval: milliseconds(1_000, 300_000, 'between two health checks; 30000'),
        healthTimeout: milliseconds(1_000, 60_000, 'for a health check; 5000'),
        healthPath: Joi.string()
            .max(512)
            .custom((path: string, helpers) => (isSafePath(path) ? path : helpers.error('string.path')))
            .messages({ 'string.path': 'has to be a path from / on, without dot or empty segments' })
            .example('/api/version')
            .description('asked of each member’s service by GET; one that answers below 500 is healthy; /'),
        autoScale: Joi.boolean().description('whether the number of replicas follows the load; false'),
    }).label('ProxySettings');

const areDistinct = (named: ProxyMember[]): boolean =>
    new Set(named.map(({ tunnelId }) => tunnelId)).size === named.length;

const members = () =>
    Joi.array()
        .items(
            Joi.object<ProxyMember>({
                tunnelId: idSchema('tun').required(),
                priority: Joi.number().integer().min(0).max(1_000).default(0).description('the lowest first'),
                weight: Joi.number().integer().min(1).max(1_000).default(1).description('among equals'),
            }).label('NewProxyMember'),
        )
        .min(1)
        .max(MOST_MEMBERS)
        .custom((named: ProxyMember[], helpers) => (areDistinct(named) ? named : helpers.error('array.distinct')))
        .messages({ 'array.distinct': 'names a tunnel twice' })
        .description('tunnels that you may use, each once')
        .label('NewProxyMembers');

export interface CreateProxy {
    name: string;
    members: ProxyMember[];
    strategy: ProxyStrategy;
    config?: Partial<ProxyConfig>;
}

const memberExample = { tunnelId: 'tun_01K9ZQ4V7N8M3T5R2W6X1Y0ABC', priority: 0, weight: 1 };

export const createProxyPayload = Joi.object<CreateProxy>({
    name: resourceName().required(),
    members: members().required(),
    strategy: strategy().default('priority'),
    config: config(),
})
    .example({ name: 'ollama', members: [memberExample], strategy: 'round_robin', config: { autoScale: true } })
    .label('CreateProxy');

export interface UpdateProxy {
    name?: string;
    members?: ProxyMember[];
    strategy?: ProxyStrategy;
    config?: Partial<ProxyConfig>;
    reset?: boolean;
}

export const updateProxyPayload = Joi.object<UpdateProxy>({
    name: resourceName(),
    members: members(),
    strategy: strategy(),
    config: config(),
    reset: Joi.boolean().description('first of all every setting gets its default'),
})
    .min(1)
    .example({ config: { maxConnections: 20 } })
    .label('UpdateProxy');

export interface ScaleProxy {
    replicas: number;
}

export const scaleProxyPayload = Joi.object<ScaleProxy>({
    replicas: Joi.number().integer().min(1).max(MOST_REPLICAS).required(),
})
    .example({ replicas: 2 })
    .label('ScaleProxy');

export type ProxyQuery = PageParams;

export const proxyQuery = Joi.object<ProxyQuery>(pageParams({ usual: 20, most: 100 })).label('ProxyQuery');

const proxySchema = Joi.object<Proxy>({
    id: Joi.string(),
    userId: Joi.string(),
    name: Joi.string(),
    members: Joi.array()
        .items(
            Joi.object<ProxyMember>({
                tunnelId: Joi.string(),
                priority: Joi.number().integer(),
                weight: Joi.number().integer(),
            }).label('ProxyMember'),
        )
        .label('ProxyMembers'),
    strategy: strategy(),
    config: Joi.object<ProxyConfig>({
        maxConnections: Joi.number().integer(),
        timeout: Joi.number().integer(),
        retries: Joi.number().integer(),
        backoff: Joi.number().integer(),
        healthInterval: Joi.number().integer(),
        healthTimeout: Joi.number().integer(),
        healthPath: Joi.string(),
        autoScale: Joi.boolean(),
    }).label('ProxyConfig'),
    replicas: Joi.number().integer().description('each has room for maxConnections calls'),
    status: status(),
    desired: desired(),
    reason: reason(),
    statusChangedAt: time(),
    lastUsedAt: time().allow(null).description('to the minute'),
    revision: Joi.number().integer(),
    createdAt: time(),
    updatedAt: time(),
}).label('Proxy');

export const proxyAnswer = Joi.object({ proxy: proxySchema }).label('ProxyData');
export const proxiesAnswer = Joi.object({ proxies: Joi.array().items(proxySchema).label('Proxies') }).label(
    'ProxiesData',
);

export const proxyExample: Proxy = {
    id: 'proxy_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    userId: 'user_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    name: 'ollama',
    members: [memberExample],
    strategy: 'round_robin',
    config: {
        maxConnections: 100,
        timeout: 30_000,
        retries: 3,
        backoff: 1_000,
        healthInterval: 30_000,
        healthTimeout: 5_000,
        healthPath: '/',
        autoScale: true,
    },
    replicas: 1,
    status: 'created',
    desired: 'stopped',
    reason: null,
    statusChangedAt: '2026-11-20T10:30:00.000Z',
    lastUsedAt: null,
    revision: 1,
    createdAt: '2026-11-20T10:30:00.000Z',
    updatedAt: '2026-11-20T10:30:00.000Z',
};
