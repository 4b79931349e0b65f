import { setPlan } from './limits.ts';
import { newProxy } from './proxy.ts';
import { newTunnel } from './tunnel.ts';

import type { TestApp } from './app.ts';
import type { TestTenant } from './tenant.ts';

const ofProxy = (what: string) => async (app: TestApp, tenant: TestTenant) => {
    await setPlan(app, tenant.tenantId, 'premium');
    const { id } = await newProxy(tenant, [await newTunnel(tenant)]);
    return { token: tenant.accessToken, url: `/api/proxies/${id}/${what}`, auditedIn: tenant.tenantId };
};

/** The routes of proxies that take an Idempotency-Key: how each is called, and what the audit calls it. */
export const PROXY_POSTS = [
    {
        name: 'post /api/proxies',
        place: async (app: TestApp, { tenantId, accessToken: token }: TestTenant) => {
            await setPlan(app, tenantId, 'premium');
            return { token, url: '/api/proxies', auditedIn: tenantId };
        },
        payload: async (tenant: TestTenant) => ({ name: 'one', members: [{ tunnelId: await newTunnel(tenant) }] }),
        otherPayload: { name: 'two', members: [{ tunnelId: 'tun_00000000000000000000000000' }] },
        action: 'proxy.create',
    },
    {
        name: 'post /api/proxies/{proxyId}/start',
        place: ofProxy('start'),
        payload: () => ({}),
        otherPayload: { again: true },
        action: 'proxy.start',
        status: 200,
    },
    {
        name: 'post /api/proxies/{proxyId}/stop',
        place: ofProxy('stop'),
        payload: () => ({}),
        otherPayload: { again: true },
        action: 'proxy.stop',
        status: 200,
    },
    {
        name: 'post /api/proxies/{proxyId}/scale',
        place: ofProxy('scale'),
        payload: () => ({ replicas: 2 }),
        otherPayload: { replicas: 3 },
        action: 'proxy.scale',
        status: 200,
    },
];
