import { newWebhook } from './webhook.ts';

import type { Answer, TestApp } from './app.ts';
import type { TestTenant } from './tenant.ts';

const HOOK_URL = 'https://9.9.9.9/hook';

const at =
    (url: string) =>
    async (_app: TestApp, { accessToken: token, tenantId: auditedIn }: TestTenant) => ({ token, url, auditedIn });

const ofWebhook = (what: string) => async (app: TestApp, tenant: TestTenant) => {
    const { path } = await newWebhook(tenant, HOOK_URL);
    return at(`${path}/${what}`)(app, tenant);
};

const secretOf = ({ body }: Answer): string => body.data.secret;
const filter = { events: ['thread.*'] };
const schedule = { cron: '0 4 * * *', type: 'config' };

/** The routes of webhooks and backups that take an Idempotency-Key: how each is called, and what the audit calls it. */
export const KEEPER_POSTS = [
    {
        name: 'post /api/webhooks',
        place: at('/api/webhooks'),
        payload: () => ({ url: HOOK_URL, filter }),
        otherPayload: { url: `${HOOK_URL}/other`, filter },
        action: 'webhook.create',
        secretOf,
    },
    {
        name: 'post /api/webhooks/{webhookId}/rotate-secret',
        place: ofWebhook('rotate-secret'),
        payload: () => ({ graceSeconds: 60 }),
        otherPayload: { graceSeconds: 61 },
        action: 'webhook.rotate_secret',
        secretOf,
        status: 200,
    },
    {
        name: 'post /api/webhooks/{webhookId}/replay',
        place: ofWebhook('replay'),
        payload: () => ({ since: new Date().toISOString() }),
        otherPayload: { since: new Date(Date.now() - 3_600_000).toISOString() },
        action: 'webhook.replay',
        status: 202,
        // The route's own limit.
        atOnce: 5,
    },
    {
        name: 'post /api/backups/create',
        place: at('/api/backups/create'),
        payload: () => ({ type: 'config' }),
        otherPayload: { type: 'full' },
        action: 'backup.create',
        status: 202,
        // The route's own limit.
        atOnce: 3,
    },
    {
        name: 'post /api/backups/schedule',
        place: at('/api/backups/schedule'),
        payload: () => ({ name: 'One', ...schedule }),
        otherPayload: { name: 'Two', ...schedule },
        action: 'schedule.create',
    },
];
