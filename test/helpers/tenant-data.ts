import { randomBytes } from 'node:crypto';

import { openTenantData, type TenantDataOptions } from '../../plugins/backups/data/index.ts';
import { tenantKey } from '../../src/redis/keys.ts';

import type { Redis } from 'ioredis';
import type { TestApp } from './app.ts';
import type { TenantData } from '../../plugins/backups/api.ts';
import type { Aggregate, AggregateKind, Component } from '../../src/redis/aggregate.ts';

export const ALL: Component[] = ['database', 'config', 'deployment'];

/** What all features of a server tell of a tenant. */
export function kindsOf({ server }: TestApp): AggregateKind[] {
    const { users, keys, threads, tunnels, proxies, tenants, billing, webhooks } = server.plugins;
    return [users, keys, threads, tunnels, proxies, tenants, billing, webhooks].flatMap(({ aggregates }) => aggregates);
}

/** A tenant's data, without the wait for requests that were admitted before. */
export const tenantData = (app: TestApp, options: Partial<TenantDataOptions> = {}): TenantData =>
    openTenantData({
        store: app.store,
        kinds: kindsOf(app),
        bound: (tenantId, userIds) => app.server.plugins.projects.ownersAmong(tenantId, userIds),
        graceMs: 0,
        ...options,
    });

export async function readAll(data: TenantData, tenantId: string, components = ALL): Promise<Aggregate[]> {
    const all: Aggregate[] = [];
    for await (const aggregate of data.read(tenantId, components)) all.push(aggregate);
    return all;
}

export async function* told(aggregates: Aggregate[]): AsyncGenerator<Aggregate> {
    yield* aggregates;
}

export const newRestoreId = (): string => `restore_${randomBytes(8).toString('hex')}`;

/** Stages and swaps. */
export async function restore(data: TenantData, tenantId: string, aggregates: Aggregate[], components = ALL) {
    const restoreId = newRestoreId();
    await data.stage(tenantId, restoreId, told(aggregates));
    await data.swap(tenantId, restoreId, components);
    return restoreId;
}

/** Every key of a tenant with what it holds, but those that only tell of the past. */
export async function keysOf(redis: Redis, tenantId: string): Promise<Record<string, string>> {
    const keys = await redis.keys(tenantKey(tenantId, '*').replaceAll('{', '\\{'));
    const dumps = await Promise.all(
        keys.toSorted().map(async (key) => [key, (await redis.dumpBuffer(key))?.toString('hex')]),
    );
    return Object.fromEntries(dumps) as Record<string, string>;
}

/** Takes away all that a backup tells of, with what belongs to it, as a disaster would. */
export async function wipe(redis: Redis, tenantId: string): Promise<void> {
    const kept = ['info', 'audit', 'events', 'session:*', 'user:*:sessions', 'credits', 'project:*', 'user:*:projects'];
    const isKept = (key: string) =>
        kept.some((name) =>
            new RegExp(`^${name.replaceAll('*', '[^:]+')}$`).test(key.slice(tenantKey(tenantId, '-').length - 1)),
        );
    for (const key of await redis.keys(tenantKey(tenantId, '*').replaceAll('{', '\\{'))) {
        if (!isKept(key)) await redis.unlink(key);
    }
}
