import { randomBytes } from 'node:crypto';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { dollars } from '../../../src/money.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { ACCOUNT_POSTS } from '../../helpers/account-posts.ts';
import { newKey } from '../../helpers/api-key.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { createUser } from '../../helpers/invite.ts';
import { KEEPER_POSTS } from '../../helpers/keeper-posts.ts';
import { startWithProvider } from '../../helpers/provider-keys.ts';
import { PROXY_POSTS } from '../../helpers/proxy-posts.ts';
import { newTenant, platformToken, type TestTenant } from '../../helpers/tenant.ts';
import { messagesPath, newThread } from '../../helpers/thread.ts';
import { newTunnel } from '../../helpers/tunnel.ts';
import { newUser } from '../../helpers/user.ts';
import { giveCredit, newProject, vmPayload } from '../../helpers/vm.ts';

import type { RequestRoute } from '@hapi/hapi';
import type { Answer, TestApp } from '../../helpers/app.ts';
import type { Provider } from '../../helpers/provider.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const PROVIDER_KEY = 'sk-of-the-user-0123456789';
const unique = () => randomBytes(8).toString('hex');

/** Who asks, where, and in which tenant's audit that is told. */
interface Place {
    token: string;
    url: string;
    auditedIn: string;
}

interface RouteCase {
    /** As in the route table. */
    name: string;
    place: (app: TestApp, tenant: TestTenant) => Promise<Place>;
    payload: (tenant: TestTenant) => object | Promise<object>;
    otherPayload: object;
    /** What the audit calls it; told once for each that is made. */
    action: string;
    /** What nobody may find in Redis. */
    secretOf?: (answer: Answer) => string;
    status?: number;
    /** As many at once as the route's own limit leaves. */
    atOnce?: number;
}

const byAdmin =
    (url: string) =>
    async (_app: TestApp, { accessToken: token, tenantId: auditedIn }: TestTenant): Promise<Place> => ({
        token,
        url,
        auditedIn,
    });

const ofTunnel =
    (what: string) =>
    async (_app: TestApp, tenant: TestTenant): Promise<Place> => ({
        token: tenant.accessToken,
        url: `/api/tunnels/${await newTunnel(tenant)}/${what}`,
        auditedIn: tenant.tenantId,
    });

const tokenOf = ({ body }: Answer): string => body.data.token;
const secretOf = ({ body }: Answer): string => body.data.secret;

const ROUTES: RouteCase[] = [
    {
        name: 'post /api/threads',
        place: byAdmin('/api/threads'),
        payload: () => ({ title: 'One' }),
        otherPayload: { title: 'Two' },
        action: 'thread.create',
        // The threads' own limit.
        atOnce: 8,
    },
    {
        name: 'post /api/threads/{threadId}/fork',
        place: async (_app, tenant) => ({
            token: tenant.accessToken,
            url: `/api/threads/${await newThread(tenant)}/fork`,
            auditedIn: tenant.tenantId,
        }),
        payload: () => ({ title: 'One' }),
        otherPayload: { title: 'Two' },
        action: 'thread.fork',
        atOnce: 8,
    },
    {
        name: 'post /api/threads/{threadId}/models/{modelId}/summarize',
        place: async (_app, tenant) => {
            const thread = await newThread(tenant);
            await tenant.call('POST', messagesPath(thread), { payload: { content: 'Hello' } });
            const url = `/api/threads/${thread}/models/sandbox/summarize`;
            return { token: tenant.accessToken, url, auditedIn: tenant.tenantId };
        },
        payload: () => ({}),
        otherPayload: { again: true },
        action: 'thread.summarize',
        status: 200,
        // The route's own limit.
        atOnce: 4,
    },
    {
        name: 'post /api/users',
        place: byAdmin('/api/users'),
        payload: () => ({ email: `${unique()}@user.example`, displayName: 'Bob', role: 'user' }),
        otherPayload: { email: `${unique()}@user.example`, displayName: 'Eve', role: 'user' },
        action: 'user.create',
        secretOf: tokenOf,
    },
    {
        name: 'post /api/users/{userId}/invitation',
        place: async (_app, tenant) => {
            const { body } = await createUser(tenant);
            const url = `/api/users/${body.data.user.id}/invitation`;
            return { token: tenant.accessToken, url, auditedIn: tenant.tenantId };
        },
        payload: () => ({}),
        otherPayload: { again: true },
        action: 'user.invite',
        secretOf: tokenOf,
    },
    {
        name: 'post /api/users/{userId}/password-reset',
        place: async (app, { accessToken: token, tenantId }) => {
            const { userId } = await newUser(app, tenantId, 'user');
            return { token, url: `/api/users/${userId}/password-reset`, auditedIn: tenantId };
        },
        payload: () => ({}),
        otherPayload: { again: true },
        action: 'user.password_reset',
        secretOf: tokenOf,
    },
    {
        name: 'post /api/keys',
        place: byAdmin('/api/keys'),
        payload: () => ({ name: 'A key', scopes: ['thread:read'] }),
        otherPayload: { name: 'Another', scopes: ['thread:read'] },
        action: 'key.create',
        secretOf,
    },
    {
        name: 'post /api/keys/{keyId}/rotate',
        place: async (_app, tenant) => {
            const { id } = await newKey(tenant);
            return { token: tenant.accessToken, url: `/api/keys/${id}/rotate`, auditedIn: tenant.tenantId };
        },
        payload: () => ({ graceSeconds: 60 }),
        otherPayload: { graceSeconds: 0 },
        action: 'key.rotate',
        secretOf,
        status: 200,
    },
    {
        name: 'post /api/projects',
        place: byAdmin('/api/projects'),
        payload: () => ({ name: 'one' }),
        otherPayload: { name: 'two' },
        action: 'project.create',
    },
    {
        name: 'post /api/vms',
        place: async (app, tenant) => {
            await giveCredit(app, tenant.tenantId, dollars(1));
            return { token: tenant.accessToken, url: '/api/vms', auditedIn: tenant.tenantId };
        },
        payload: async (tenant) => vmPayload(await newProject(tenant)),
        otherPayload: vmPayload('project_00000000000000000000000000'),
        action: 'vm.create',
    },
    {
        name: 'post /api/tunnels',
        place: byAdmin('/api/tunnels'),
        payload: () => ({ name: 'one' }),
        otherPayload: { name: 'two' },
        action: 'tunnel.create',
        secretOf: tokenOf,
    },
    {
        name: 'post /api/tunnels/{tunnelId}/token',
        place: ofTunnel('token'),
        payload: () => ({}),
        otherPayload: { again: true },
        action: 'tunnel.update',
        secretOf: tokenOf,
        status: 200,
    },
    {
        name: 'post /api/tunnels/{tunnelId}/start',
        place: ofTunnel('start'),
        payload: () => ({}),
        otherPayload: { again: true },
        action: 'tunnel.start',
        status: 200,
    },
    {
        name: 'post /api/tunnels/{tunnelId}/stop',
        place: async (app, tenant) => {
            const { url: start, ...place } = await ofTunnel('start')(app, tenant);
            await tenant.call('POST', start);
            return { ...place, url: start.replace('/start', '/stop') };
        },
        payload: () => ({}),
        otherPayload: { again: true },
        action: 'tunnel.stop',
        status: 200,
    },
    {
        name: 'post /api/tunnels/{tunnelId}/endpoints',
        place: ofTunnel('endpoints'),
        payload: () => ({ url: 'http://localhost:1' }),
        otherPayload: { url: 'http://localhost:2' },
        action: 'tunnel.add_endpoint',
    },
    {
        name: 'post /api/tunnels/{tunnelId}/shares',
        place: ofTunnel('shares'),
        payload: () => ({}),
        otherPayload: { maxUses: 1 },
        action: 'tunnel.share',
        secretOf: tokenOf,
    },
    ...ACCOUNT_POSTS,
    ...KEEPER_POSTS,
    ...PROXY_POSTS,
    {
        name: 'post /api/profile/api-keys',
        place: byAdmin('/api/profile/api-keys'),
        payload: () => ({ openai: PROVIDER_KEY }),
        otherPayload: { openai: `${PROVIDER_KEY}-2` },
        action: 'provider_key.add',
        secretOf: () => PROVIDER_KEY,
        status: 200,
        atOnce: 3,
    },
    {
        name: 'post /api/admin/tenants',
        place: async (app) => ({
            token: await platformToken(app),
            url: '/api/admin/tenants',
            auditedIn: 'platform',
        }),
        payload: ({ domain }) => ({
            name: domain,
            domain: `new-${domain}`,
            plan: 'free',
            admin: { email: `ada@new-${domain}` },
        }),
        otherPayload: { name: 'B', domain: `${unique()}.example`, plan: 'free', admin: { email: 'b@b.example' } },
        action: 'tenant.create',
        secretOf: tokenOf,
    },
    {
        name: 'post /api/billing/credits',
        place: async (app, { tenantId }) => ({
            token: await platformToken(app),
            url: '/api/billing/credits',
            auditedIn: tenantId,
        }),
        payload: ({ tenantId }) => ({ tenantId, amountMicros: 1_000_000, reason: 'Prepaid' }),
        otherPayload: { tenantId: 'platform', amountMicros: 1_000_000, reason: 'Prepaid' },
        action: 'billing.credit',
    },
];

/** Told elsewhere: they are joined, not only answered again, or go on after their answer, or need something first. */
const ELSEWHERE = [
    'post /api/backups/{backupId}/restore',
    'post /api/backups/{backupId}/verify',
    'post /api/billing/refunds',
    'post /api/models/{modelId}/load',
    'post /api/threads/{threadId}/models/{modelId}/messages',
    'post /api/threads/{threadId}/models/{modelId}/messages/{messageId}/regenerate',
    'post /api/vms/{vmId}/restart',
    'post /api/vms/{vmId}/start',
    'post /api/vms/{vmId}/stop',
    'post /api/webhooks/{webhookId}/deliveries/{deliveryId}/retry',
    'post /api/webhooks/{webhookId}/test',
    'post /v1/chat/completions',
];

describe('the routes that take an Idempotency-Key', () => {
    let app: TestApp;
    let provider: Provider;

    before(async () => {
        ({ app, provider } = await startWithProvider());
    });

    after(async () => {
        await app.stop();
        await provider.stop();
    });

    /** How often it was done, for requests with those ids. */
    const timesDone = async ({ action }: RouteCase, auditedIn: string, answers: Answer[]) => {
        const ids = new Set(answers.map(({ body }) => body.requestId));
        const entries = await readAudit(app, auditedIn);
        const done = entries.filter((entry) => entry.action === action && entry.result === 'success');
        return done.filter(({ correlationId }) => ids.has(correlationId)).length;
    };

    it('are those that create, and are all told of here', () => {
        const served = app.server.table();
        const nameOf = ({ method, path }: RequestRoute) => `${method} ${path}`;
        const taking = served.filter(({ settings }) => settings.app?.idempotent !== undefined);
        const told = [...ROUTES.map(({ name }) => name), ...ELSEWHERE];
        expect(taking.map(nameOf).toSorted()).to.equal(told.toSorted());
        // Undefined is the default, which requires a credential.
        const needsCredential = ({ settings }: RequestRoute) => (settings.auth as unknown) !== false;
        const creating = served.filter((route) => route.settings.app?.status === 201 && needsCredential(route));
        expect(creating.length).to.be.above(4);
        for (const route of creating) expect(route.settings.app?.idempotent, nameOf(route)).to.exist();
    });

    for (const route of ROUTES) {
        const { name, place, payload, otherPayload, secretOf: secret, status = 201, atOnce = 10 } = route;

        describe(name, () => {
            const setUp = async () => {
                const tenant = await newTenant(app);
                const { url, token, auditedIn } = await place(app, tenant);
                const headers = { 'idempotency-key': `key-${unique()}` };
                const body = await payload(tenant);
                const send = (sent: object = body) => app.call('POST', url, { token, headers, payload: sent });
                return { send, auditedIn };
            };

            it('is done once and answered alike, with the same secret, and refuses another body', async () => {
                const { send, auditedIn } = await setUp();
                const first = await send();
                expect(first.status, first.text).to.equal(status);
                const again = await send();
                expect([again.status, again.headers['idempotent-replayed']]).to.equal([status, 'true']);
                expect(again.body.data).to.equal(first.body.data);
                expect(again.headers.etag).to.equal(first.headers.etag);
                if (secret) expect(secret(again)).to.be.a.string().and.equal(secret(first));
                expectError(await send(otherPayload), 'IDEMPOTENCY_KEY_REUSED');
                expect(await timesDone(route, auditedIn, [first, again])).to.equal(1);
            });

            it(`is done once by ${atOnce} at once`, async () => {
                const { send, auditedIn } = await setUp();
                const answers = await Promise.all(Array.from({ length: atOnce }, () => send()));
                const good = answers.filter((answer) => answer.status === status);
                expect(good.length).to.be.at.least(1);
                for (const answer of answers) {
                    if (answer.status === status) expect(answer.body.data).to.equal(good[0]?.body.data);
                    else expectError(answer, 'IDEMPOTENCY_IN_PROGRESS');
                }
                expect(await timesDone(route, auditedIn, answers)).to.equal(1);
            });

            if (secret) {
                it('keeps its answer sealed', async () => {
                    const { send, auditedIn } = await setUp();
                    const text = secret(await send());
                    const keys = await app.redis.keys(tenantKey(auditedIn, 'idempotency', '*'));
                    const kept = await Promise.all(keys.map((key) => app.redis.hgetall(key)));
                    expect(kept.length).to.be.at.least(1);
                    expect(kept.every(({ answer }) => answer?.startsWith('v1.'))).to.be.true();
                    expect(JSON.stringify([keys, kept])).to.not.include(text);
                });
            }
        });
    }

    it('answer a user, and each API key, with what they got themselves', async () => {
        const tenant = await newTenant(app);
        const secrets = [(await newKey(tenant)).secret, (await newKey(tenant)).secret];
        const headers = { 'idempotency-key': 'the same for all' };
        const idsOf = async () => {
            const principals = [tenant.accessToken, ...secrets];
            const create = (token: string) => tenant.call('POST', '/api/threads', { token, headers, payload: {} });
            const answers = await Promise.all(principals.map(create));
            return answers.map(({ body }) => String(body.data.thread.id));
        };
        const first = await idsOf();
        expect(new Set(first).size).to.equal(3);
        expect(await idsOf()).to.equal(first);
    });
});
