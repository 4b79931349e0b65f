import Joi from 'joi';

import { commaSeparated } from '../config-rules.ts';

/** A server by name or address, and port. */
export interface HostPort {
    host: string;
    port: number;
}

/** What the environment says about where Redis is; without any of the three the process starts one of its own. */
export interface RedisSettings {
    REDIS_URL?: string;
    /** Who knows which server is the master just now. */
    REDIS_SENTINELS?: HostPort[];
    /** What the sentinels call the master. */
    REDIS_SENTINEL_NAME: string;
    REDIS_SENTINEL_PASSWORD?: string;
    /** Some of the nodes of a cluster; they tell of the others. */
    REDIS_CLUSTER?: HostPort[];
    REDIS_USERNAME?: string;
    REDIS_PASSWORD?: string;
    /** Whether servers of sentinels or of a cluster are spoken to by TLS; of a URL its scheme tells. */
    REDIS_TLS: boolean;
    /** How many replicas must have a change before its request is answered. */
    REDIS_WAIT_REPLICAS: number;
    /** Whether the process starts although the server may evict keys. */
    REDIS_ALLOW_EVICTION: boolean;
}

const SERVER = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/;

/** `host:port,host:port`; an IPv6 address in brackets. */
const servers = () =>
    commaSeparated().custom((list: string[], helpers) => {
        const found = list.map((server) => {
            const [, host = '', port = '0'] = SERVER.exec(server) ?? [];
            return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
        });
        return found.length > 0 && found.every(({ port }) => port > 0 && port < 65_536)
            ? found
            : helpers.message({ custom: '{{#label}} needs the form host:port,host:port' });
    });

const PLACES = ['REDIS_URL', 'REDIS_SENTINELS', 'REDIS_CLUSTER'] as const;

export const redisSettings = () => ({
    REDIS_URL: Joi.string().uri({ scheme: ['redis', 'rediss'] }),
    REDIS_SENTINELS: servers(),
    REDIS_SENTINEL_NAME: Joi.string()
        .pattern(/^[A-Za-z0-9._-]{1,100}$/)
        .default('mymaster'),
    REDIS_SENTINEL_PASSWORD: Joi.string(),
    REDIS_CLUSTER: servers(),
    REDIS_USERNAME: Joi.string(),
    REDIS_PASSWORD: Joi.string(),
    REDIS_TLS: Joi.boolean().default(false),
    REDIS_WAIT_REPLICAS: Joi.number().integer().min(0).max(5).default(0),
    REDIS_ALLOW_EVICTION: Joi.boolean().default(false),
});

/** What is wrong with them together, a sentence each. */
export function redisFaults(settings: Partial<RedisSettings> & { ROLE?: string }): string[] {
    const given = PLACES.filter((name) => settings[name] !== undefined);
    const faults: string[] = [];
    if (given.length > 1) faults.push(`Only one of ${given.join(' and ')} may be given: they name different servers`);
    if (settings.REDIS_TLS && settings.REDIS_URL?.startsWith('redis:')) {
        faults.push('REDIS_URL must begin with rediss:// where REDIS_TLS is true: of a URL the scheme says it');
    }
    if (given.length > 0) return faults;
    if (settings.ROLE !== undefined && settings.ROLE !== 'all') {
        faults.push(`ROLE must be all without ${PLACES.join(' or ')}: an embedded Redis belongs to one process`);
    }
    if ((settings.REDIS_WAIT_REPLICAS ?? 0) > 0) {
        faults.push('REDIS_WAIT_REPLICAS must be 0 with an embedded Redis: it has no replicas');
    }
    return faults;
}
