import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from './helpers/app.ts';
import { NOBODYS_BACKUP } from './helpers/backups.ts';
import { expectError } from './helpers/expect-error.ts';
import { setLimits } from './helpers/limits.ts';
import { expectOpenAiError } from './helpers/openai.ts';
import { newProxy } from './helpers/proxy.ts';
import { summarizePath } from './helpers/summary.ts';
import { newTenant, type TestTenant } from './helpers/tenant.ts';
import { messagesPath, newThread } from './helpers/thread.ts';
import { newEndpoint, newShare, newTunnel } from './helpers/tunnel.ts';
import { newUser } from './helpers/user.ts';
import { newPayingTenant, newProject, newVm } from './helpers/vm.ts';
import { newEvent, newWebhook, take } from './helpers/webhook.ts';

import type { RequestRoute } from '@hapi/hapi';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

/** Every route that may be called without a credential. What is not in this list must refuse. */
const PUBLIC = new Set([
    'POST /api/auth/register',
    'POST /api/auth/login',
    'POST /api/login',
    'POST /api/auth/refresh',
    'POST /api/auth/logout',
    'POST /api/logout',
    'POST /api/auth/password/forgot',
    'POST /api/auth/password/reset',
    'POST /api/auth/invitation/accept',
    'GET /health',
    'GET /health/live',
    'GET /health/ready',
    'GET /api/health',
    'GET /api/status/health',
    'GET /api/errors',
    'GET /api/vms/pricing',
    'POST /api/webhooks/backup-complete',
    'GET /documentation',
    'GET /openapi.json',
    'GET /admin',
    'GET /admin/',
    // It has a token or a network of its own.
    'GET /metrics',
]);
/** The files of the documentation's page, and of the console's. */
const PUBLIC_FILES = ['/swaggerui/', '/admin/assets/'];

/** A well-formed value for each parameter of a path, of a record that is nobody's. */
const PARAMS: Record<string, string> = {
    tenantId: 'tenant_00000000000000000000000000',
    userId: 'user_00000000000000000000000000',
    keyId: 'key_00000000000000000000000000',
    threadId: 'thread_00000000000000000000000000',
    sessionId: 'sess_00000000000000000000000000',
    messageId: 'msg_00000000000000000000000000',
    projectId: 'project_00000000000000000000000000',
    vmId: 'vm_00000000000000000000000000',
    tunnelId: 'tun_00000000000000000000000000',
    endpointId: 'endpoint_00000000000000000000000000',
    shareId: 'share_00000000000000000000000000',
    proxyId: 'proxy_00000000000000000000000000',
    webhookId: 'hook_00000000000000000000000000',
    deliveryId: 'dlv_00000000000000000000000000',
    backupId: NOBODYS_BACKUP,
    otherBackupId: NOBODYS_BACKUP,
    restoreId: 'restore_00000000000000000000000000',
    scheduleId: 'schedule_00000000000000000000000000',
    bulkId: 'bulk_00000000000000000000000000',
};

const nameOf = ({ method, path }: RequestRoute) => `${method.toUpperCase()} ${path}`;
/** These refuse in OpenAI's form. */
const isOpenAi = ({ path }: RequestRoute) => path.startsWith('/v1/');
const isPublic = (route: RequestRoute) =>
    PUBLIC.has(nameOf(route)) || PUBLIC_FILES.some((files) => route.path.startsWith(files));
const urlOf = ({ path }: RequestRoute, params: Record<string, string>) =>
    path.replace(/\{(\w+)[?*]?\d*\}/g, (_all, name: string) => params[name] ?? 'x');

/** What the tenants' and the platform's admins may do, and users may not. */
const ADMIN_SCOPE = /^(account|user|tenant|settings|limit|audit|webhook|backup|billing|report|platform):(?!read-own$)/;
const scopeOf = ({ settings }: RequestRoute): string[] =>
    (settings.auth?.access ?? []).flatMap(({ scope }) => (scope === false ? [] : (scope?.selection ?? [])));

describe('every route of the table', () => {
    let app: TestApp;
    let routes: RequestRoute[];

    before(async () => {
        app = await startApp();
        routes = app.server.table();
    });

    after(() => app.stop());

    it('is there to be walked', () => {
        const names = routes.map(nameOf);
        expect(names).to.include(['GET /api/auth/me', 'POST /api/admin/tenants/{tenantId}/suspend']);
        expect(names.filter((name) => PUBLIC.has(name)).length).to.be.above(5);
    });

    it('refuses a request without a credential, unless it is public', async () => {
        const guarded = routes.filter((route) => !isPublic(route));
        for (const route of guarded) {
            const answer = await app.call(route.method, urlOf(route, PARAMS));
            if (isOpenAi(route)) {
                expectOpenAiError(answer, 'UNAUTHENTICATED');
                continue;
            }
            expect(answer.body?.error?.code, nameOf(route)).to.equal('UNAUTHENTICATED');
            expectError(answer, 'UNAUTHENTICATED');
        }
    });

    it('refuses a forged credential, unless it is public', async () => {
        for (const route of routes.filter((candidate) => !isPublic(candidate))) {
            const answer = await app.call(route.method, urlOf(route, PARAMS), { token: 'a.forged.token' });
            if (isOpenAi(route)) expectOpenAiError(answer, 'UNAUTHENTICATED');
            else expect(answer.body?.error?.code, nameOf(route)).to.equal('UNAUTHENTICATED');
        }
    });

    it('refuses an ordinary user what takes a permission of admins', async () => {
        const { tenantId } = await newTenant(app);
        const user = await newUser(app, tenantId, 'user');
        // With one of several that is enough: each of them.
        const takesAdmin = (scopes: string[]) => scopes.length > 0 && scopes.every((scope) => ADMIN_SCOPE.test(scope));
        const admins = routes.filter((route) => takesAdmin(scopeOf(route)));
        expect(admins.length).to.be.above(15);
        for (const route of admins) {
            const answer = await user.call(route.method, urlOf(route, PARAMS));
            expect([answer.status, answer.body.error.code], nameOf(route)).to.equal([403, 'FORBIDDEN']);
        }
    });

    it('asks for a credential that may be left out only where the list says so', () => {
        // A route that says nothing of it has the default: required.
        const lax = routes.filter(({ settings }) => settings.auth !== undefined && settings.auth.mode !== 'required');
        expect(lax.filter((route) => !isPublic(route)).map(nameOf)).to.equal([]);
        expect(app.server.auth.settings.default).to.include({ mode: 'required', strategies: ['user'] });
    });
});

/** A body that each route with a record in its path takes, so that only the foreign id can be what it refuses. */
const PAYLOADS: Record<string, object> = {
    'PATCH /api/threads/{threadId}/title': { title: 'Taken over' },
    'POST /api/threads/{threadId}/fork': {},
    'POST /api/threads/{threadId}/models/{modelId}/messages': { content: 'Let me in' },
    'POST /api/threads/{threadId}/models/{modelId}/messages/{messageId}/regenerate': {},
    'PATCH /api/users/{userId}': { displayName: 'Taken over' },
    'PATCH /api/keys/{keyId}': { name: 'Taken over' },
    'POST /api/keys/{keyId}/rotate': {},
    'PATCH /api/projects/{projectId}': { name: 'taken-over' },
    'PATCH /api/vms/{vmId}': { name: 'taken-over' },
    'PATCH /api/tunnels/{tunnelId}': { name: 'taken-over' },
    'POST /api/tunnels/{tunnelId}/endpoints': { url: 'http://localhost:1' },
    'PATCH /api/tunnels/{tunnelId}/endpoints/{endpointId}': { priority: 9 },
    'POST /api/tunnels/{tunnelId}/shares': {},
    'PATCH /api/proxies/{proxyId}': { name: 'taken-over' },
    'POST /api/proxies/{proxyId}/scale': { replicas: 2 },
    'PATCH /api/webhooks/{webhookId}': { description: 'Taken over' },
    'POST /api/webhooks/{webhookId}/rotate-secret': {},
    'POST /api/webhooks/{webhookId}/replay': { since: new Date().toISOString() },
    'POST /api/backups/{backupId}/restore': { components: ['database'] },
    'PUT /api/backups/schedule/{scheduleId}': { enabled: true },
    'PATCH /api/admin/tenants/{tenantId}': { name: 'Taken over' },
    'POST /api/admin/tenants/{tenantId}/suspend': { reason: 'Because I can' },
    'PATCH /api/admin/tenants/{tenantId}/users/{userId}': { tier: 'enterprise' },
    'POST /api/admin/tenants/{tenantId}/users/{userId}/suspend': { reason: 'Because I can' },
};

/** Routes whose tenant is in the path: to have no permission is all that anybody but a platform admin learns. */
const isAdministration = ({ path }: RequestRoute) => path.startsWith('/api/admin/');
/** Models are nobody's: to name one names no record. */
const namesRecord = ({ path }: RequestRoute) => /\{(?!modelId\})\w+Id\}/.test(path);

describe('every route that names a record', () => {
    let app: TestApp;
    let victim: TestTenant;
    let attacker: TestTenant;
    let records: Record<string, string>;

    before(async () => {
        app = await startApp();
        victim = await newPayingTenant(app);
        attacker = await newTenant(app);
        const threadId = await newThread(victim, 'A private thread');
        const sent = await victim.call('POST', messagesPath(threadId), { payload: { content: 'A private message' } });
        const messageId = String(sent.body.data.assistantMessage.id);
        await victim.call('POST', summarizePath(threadId));
        const { body } = await victim.call('GET', '/api/auth/sessions');
        const { id: sessionId } = body.data.sessions[0];
        const key = { name: 'A private key', scopes: ['thread:read'] };
        const created = await victim.call('POST', '/api/keys', { payload: key });
        const keyId = String(created.body.data.key.id);
        const projectId = await newProject(victim, 'private-project');
        const vmId = await newVm(victim, projectId, { name: 'private-vm' });
        const tunnelId = await newTunnel(victim, 'private-tunnel');
        const endpointId = await newEndpoint(victim, tunnelId);
        const shareId = (await newShare(victim, tunnelId)).id;
        const { tenantId, userId } = victim;
        records = { tenantId, userId, sessionId, threadId, messageId, keyId, projectId, vmId, modelId: 'sandbox' };
        await setLimits(app, tenantId, { proxies: 1, replicasPerProxy: 3 });
        const proxyId = (await newProxy(victim, [tunnelId], { name: 'private-proxy' })).id;
        const webhook = await newWebhook(victim, 'https://9.9.9.9/private');
        const event = newEvent('thread.created', { note: 'private' });
        const [{ deliveryId } = { deliveryId: '' }] = await take(app, tenantId, [event]);
        const told = { webhookId: webhook.id, deliveryId };
        const { operator } = app.server.plugins.backups;
        const { id: backupId } = await operator.backup(tenantId, 'full');
        const restored = await operator.restore(tenantId, { backupId, withPlan: false });
        const schedules = await victim.call('GET', '/api/backups/schedule');
        const scheduleId = String(schedules.body.data.schedules[0].id);
        const backups = { backupId, otherBackupId: backupId, restoreId: restored.id, scheduleId };
        records = { ...records, tunnelId, endpointId, shareId, proxyId, ...told, ...backups };
    });

    after(() => app.stop());

    /** Everything that the victim has, byte by byte, but its rates, which expire by themselves. */
    const everything = async () => {
        const found = await app.redis.keys(`tenant:{${victim.tenantId}}:*`);
        const keys = found.filter((key) => !key.includes(':rate:'));
        return Object.fromEntries(await Promise.all(keys.map(async (key) => [key, await app.redis.dumpBuffer(key)])));
    };

    it('neither shows nor changes it for another tenant’s credential', async () => {
        const routes = app.server.table().filter((route) => namesRecord(route) && !isPublic(route));
        expect(routes.length).to.be.at.least(7);
        const before = await everything();
        for (const route of routes) {
            const answer = await attacker.call(route.method, urlOf(route, records), {
                payload: PAYLOADS[nameOf(route)],
            });
            expect(answer.status, nameOf(route)).to.equal(isAdministration(route) ? 403 : 404);
            expect(answer.text, nameOf(route)).to.not.contain('private');
        }
        expect(await everything()).to.equal(before);
    });

    it('shows it to nobody in a list', async () => {
        // The events have no end; a test of theirs looks who is told of them.
        const isList = ({ method, path }: RequestRoute) =>
            method === 'get' && !path.includes('{') && path !== '/api/events/stream';
        const lists = app.server.table().filter(isList);
        for (const route of lists.filter(({ path }) => /^\/(api|v1)\//.test(path))) {
            const { text } = await attacker.call('GET', route.path);
            for (const secret of ['private', victim.tenantId, victim.userId, victim.email]) {
                expect(text, nameOf(route)).to.not.contain(secret);
            }
        }
    });
});
