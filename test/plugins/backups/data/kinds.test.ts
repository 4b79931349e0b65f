import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { newKey } from '../../../helpers/api-key.ts';
import { startApp, type TestApp } from '../../../helpers/app.ts';
import { setPlan } from '../../../helpers/limits.ts';
import { newProxy } from '../../../helpers/proxy.ts';
import { keysOf, readAll, restore, tenantData, wipe } from '../../../helpers/tenant-data.ts';
import { newTenant, type TestTenant } from '../../../helpers/tenant.ts';
import { messagesPath, newThread } from '../../../helpers/thread.ts';
import { linkUp, newEndpoint, newRunningTunnel, newShare, newTunnel } from '../../../helpers/tunnel.ts';
import { newUser } from '../../../helpers/user.ts';

import type { TenantData } from '../../../../plugins/backups/api.ts';

export const lab = Lab.script();
const { describe, it, before, after, beforeEach } = lab;

describe('what a backup has of a tenant', () => {
    let app: TestApp;
    let data: TenantData;
    let tenant: TestTenant;

    before(async () => {
        app = await startApp();
        data = tenantData(app);
    });
    after(() => app.stop());
    beforeEach(async () => {
        tenant = await newTenant(app);
    });

    const read = () => readAll(data, tenant.tenantId);
    const wipeAndRestore = async () => {
        const told = await read();
        await wipe(app.redis, tenant.tenantId);
        await restore(data, tenant.tenantId, told);
        expect(await read()).to.equal(told);
        return told;
    };
    const get = async (url: string, user: Pick<TestTenant, 'call'> = tenant) => {
        const { status, body } = await user.call('GET', url);
        expect(status, url).to.equal(200);
        return body.data;
    };

    it('has users with settings, avatar and credentials', async () => {
        const bob = await newUser(app, tenant.tenantId, 'user');
        await tenant.call('PATCH', '/api/profile', { payload: { settings: { systemPrompt: 'Be \u{1F600}' } } });
        const png = Buffer.from('89504e470d0a1a0affffff00', 'hex');
        const avatar = await tenant.call('PUT', '/api/profile/avatar', {
            payload: png,
            headers: { 'content-type': 'image/png' },
        });
        expect(avatar.status).to.equal(200);
        const before = [await get('/api/users?limit=50'), await get('/api/profile')];

        const told = await wipeAndRestore();
        expect(told.filter(({ kind }) => kind === 'user').length).to.equal(2);
        expect([await get('/api/users?limit=50'), await get('/api/profile')]).to.equal(before);
        const { email, password } = bob;
        const { tenantId } = tenant;
        const login = await app.call('POST', '/api/login', { payload: { email, password, tenantId } });
        expect(login.status).to.equal(200);
        expect((await get('/api/users?q=ada')).users.length).to.equal(1);
        const twice = await tenant.call('POST', '/api/users', {
            payload: { email: bob.email, displayName: 'Bob', role: 'user' },
        });
        expect(twice.body.error.code).to.equal('EMAIL_TAKEN');
        const last = await tenant.call('DELETE', `/api/users/${tenant.userId}`);
        expect(last.body.error.code).to.equal('LAST_ADMIN');
    });

    it('has API keys, which open again', async () => {
        const { id, secret } = await newKey(tenant, { requestsPerMinute: 50 });
        const before = await get('/api/keys');
        await wipeAndRestore();
        expect(await get('/api/keys')).to.equal(before);
        const answer = await app.call('GET', '/api/threads', { headers: { 'x-api-key': secret } });
        expect(answer.status).to.equal(200);
        expect((await tenant.call('DELETE', `/api/keys/${id}`)).status).to.equal(200);
    });

    it('has tunnels with endpoints and shares, without links', async () => {
        const bob = await newUser(app, tenant.tenantId, 'user');
        const { tunnelId } = await newRunningTunnel(tenant, 'Ollama');
        const place = { tenantId: tenant.tenantId, tunnelId };
        await newEndpoint(tenant, tunnelId);
        await newShare(tenant, tunnelId, { userId: bob.userId, access: 'write' });
        const token = await newShare(tenant, tunnelId);
        await linkUp(app, place);
        const before = await get(`/api/tunnels/${tunnelId}/endpoints`);
        expect((await get(`/api/tunnels/${tunnelId}`)).tunnel.status).to.equal('connected');

        await wipeAndRestore();
        const { tunnel } = await get(`/api/tunnels/${tunnelId}`);
        expect(tunnel).to.include({ status: 'disconnected', desired: 'running', reason: 'restored' });
        expect((await get(`/api/tunnels/${tunnelId}/endpoints`)).endpoints.length).to.equal(before.endpoints.length);
        const { shares } = await get(`/api/tunnels/${tunnelId}/shares`);
        expect(shares.map(({ id }: { id: string }) => id)).to.not.include(token.id);
        expect(shares.length).to.equal(1);
        expect((await get('/api/tunnels?shared=true', bob)).tunnels.length).to.equal(1);
        expect((await linkUp(app, place)).verdict).to.equal('connected');
        const twice = await tenant.call('POST', '/api/tunnels', { payload: { name: 'ollama' } });
        expect(twice.body.error.code).to.equal('NAME_TAKEN');
    });

    it('numbers the links of a tunnel that is still there onwards', async () => {
        const { tunnelId } = await newRunningTunnel(tenant, 'Ollama');
        const place = { tenantId: tenant.tenantId, tunnelId };
        const told = await read();
        await linkUp(app, place);
        const { epoch } = await linkUp(app, place);
        await restore(data, tenant.tenantId, told);
        expect(await app.redis.hget(`tenant:{${tenant.tenantId}}:tunnel:${tunnelId}`, 'epoch')).to.equal(String(epoch));
        expect((await linkUp(app, place)).epoch).to.equal(epoch + 1);
    });

    it('has proxies, which are idle', async () => {
        await setPlan(app, tenant.tenantId, 'premium');
        const { tunnelId } = await newRunningTunnel(tenant, 'Ollama');
        await linkUp(app, { tenantId: tenant.tenantId, tunnelId });
        const proxy = await newProxy(tenant, [tunnelId], { name: 'Front' });
        expect((await tenant.call('POST', `/api/proxies/${proxy.id}/start`)).status).to.equal(200);
        await wipeAndRestore();
        const found = await get(`/api/proxies/${proxy.id}`);
        expect(found.proxy).to.include({ status: 'stopped', reason: 'idle', desired: 'running' });
        const twice = await tenant.call('POST', '/api/proxies', {
            payload: { name: 'front', members: [{ tunnelId }] },
        });
        expect(twice.body.error.code).to.equal('NAME_TAKEN');
        const used = await app.server.plugins.proxies.use(
            { tenantId: tenant.tenantId, userId: tenant.userId },
            proxy.id,
        );
        expect(used.proxy.status).to.not.equal('stopped');
    });

    it('has settings and limits; plan and figures only where they are asked for', async () => {
        const set = async (fallbackModels: string[], limit: number) => {
            const settings = await tenant.call('PATCH', '/api/tenant', { payload: { settings: { fallbackModels } } });
            const limits = await tenant.call('PUT', '/api/billing/limits', {
                payload: { tenant: limit, lowCreditMicros: limit },
            });
            expect([settings.status, limits.status]).to.equal([200, 200]);
        };
        await set(['sandbox'], 5_000_000);
        await setPlan(app, tenant.tenantId, 'premium');
        const told = await read();
        const before = [(await get('/api/tenant')).tenant.settings, await get('/api/billing/limits')];
        await set([], 7_000_000);
        await setPlan(app, tenant.tenantId, 'enterprise');

        const config = told.filter(({ kind }) => kind !== 'tenant-plan');
        await restore(data, tenant.tenantId, config, ['database', 'config']);
        const { tenant: now } = await get('/api/tenant');
        expect([now.settings, await get('/api/billing/limits')]).to.equal(before);
        expect(now.plan).to.equal('enterprise');
        await restore(data, tenant.tenantId, told);
        expect((await get('/api/tenant')).tenant.plan).to.equal('premium');
    });

    it('touches no other tenant, and nothing but what is restored', async () => {
        const other = await newTenant(app);
        await newThread(other, 'Theirs');
        const theirs = await keysOf(app.redis, other.tenantId);
        const told = await read();
        await newThread(tenant, 'Later');
        const credits = await app.redis.dumpBuffer(`tenant:{${tenant.tenantId}}:credits`);
        await restore(data, tenant.tenantId, told, ['database']);
        expect(await keysOf(app.redis, other.tenantId)).to.equal(theirs);
        expect(await app.redis.dumpBuffer(`tenant:{${tenant.tenantId}}:credits`)).to.equal(credits);
    });

    it('takes the place of what came later, and leaves nothing of it', async () => {
        const told = await read();
        const bob = await newUser(app, tenant.tenantId, 'user');
        const thread = await newThread(tenant, 'Quince');
        await tenant.call('POST', messagesPath(thread), { payload: { content: 'Hello' } });
        const tunnelId = await newTunnel(bob);
        await newKey(bob);
        await restore(data, tenant.tenantId, told);
        expect((await get('/api/threads')).threads).to.equal([]);
        expect((await get('/api/threads?q=quince')).threads).to.equal([]);
        expect((await bob.call('GET', '/api/threads')).status).to.be.within(401, 403);
        const left = Object.keys(await keysOf(app.redis, tenant.tenantId)).filter(
            (key) => !/:(audit|events|idempotency:.*|rate:.*)$/.test(key) && !key.includes(':restore:'),
        );
        expect(left.filter((key) => [bob.userId, thread, tunnelId].some((id) => key.includes(id)))).to.equal([]);
    });
});
