import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { newKey } from '../../../helpers/api-key.ts';
import { startApp, type TestApp } from '../../../helpers/app.ts';
import { codeOf } from '../../../helpers/store.ts';
import { newRestoreId, readAll, tenantData, told } from '../../../helpers/tenant-data.ts';
import { newTenant, type TestTenant } from '../../../helpers/tenant.ts';
import { newRunningTunnel, newShare } from '../../../helpers/tunnel.ts';

import type { TenantData } from '../../../../plugins/backups/api.ts';

export const lab = Lab.script();
const { describe, it, before, after, beforeEach } = lab;

describe('a tenant that is being restored', () => {
    let app: TestApp;
    let tenant: TestTenant;
    let other: TestTenant;
    let restoreId: string;
    /** Ends the grace, in which the tenant is locked and nothing has changed. */
    let go: () => void;
    let isWaiting: Promise<void>;
    let data: TenantData;

    before(async () => {
        app = await startApp({ isHeld: true });
        app.server.route({
            method: 'GET',
            path: '/api/test/watched',
            options: {
                app: { status: 200, whileRestoring: true },
                auth: { strategy: 'user', access: { scope: 'thread:read' } },
            },
            handler: () => ({ ok: true }),
        });
        await app.server.initialize();
    });
    after(() => app.stop());
    beforeEach(async () => {
        [tenant, other] = [await newTenant(app), await newTenant(app)];
        restoreId = newRestoreId();
        const gate = new Promise<void>((resolve) => (go = resolve));
        let begun: () => void;
        isWaiting = new Promise<void>((resolve) => (begun = resolve));
        const wait = async () => {
            begun();
            await gate;
        };
        data = tenantData(app, { graceMs: 30_000, wait });
        await data.stage(tenant.tenantId, restoreId, told(await readAll(data, tenant.tenantId)));
    });

    const begin = () => data.swap(tenant.tenantId, restoreId, ['database']);
    const login = () => app.call('POST', '/api/login', { payload: { email: tenant.email, password: tenant.password } });

    it('takes requests while it is staged', async () => {
        expect((await tenant.call('GET', '/api/threads')).status).to.equal(200);
        expect((await login()).status).to.equal(200);
    });

    it('refuses tokens, keys, logins and refreshes, and takes them again afterwards', async () => {
        const { secret } = await newKey(tenant);
        const keyed = () => app.call('GET', '/api/threads', { headers: { 'x-api-key': secret } });
        expect((await keyed()).status).to.equal(200);
        await data.stage(tenant.tenantId, restoreId, told(await readAll(data, tenant.tenantId)));
        const done = begin();
        await isWaiting;
        const refresh = () => app.call('POST', '/api/auth/refresh', { payload: { refreshToken: tenant.refreshToken } });
        const ways = [() => tenant.call('GET', '/api/threads'), keyed, login, refresh];
        for (const way of ways) {
            const answer = await way();
            expect(answer.status, String(way)).to.equal(503);
            expect(answer.body.error.code).to.equal('TENANT_RESTORING');
            expect(Number(answer.headers['retry-after'])).to.be.above(0);
        }
        expect((await other.call('GET', '/api/threads')).status).to.equal(200);
        go();
        await done;
        for (const way of [ways[0], ways[2], ways[3]]) expect((await way?.())?.status).to.equal(200);
    });

    it('refuses who comes without admission: links, invitations, resets, purges', async () => {
        const { tunnelId, token } = await newRunningTunnel(tenant);
        const invited = await tenant.call('POST', '/api/users', {
            payload: { email: `bob@${tenant.domain}`, displayName: 'Bob', role: 'user' },
        });
        const share = await newShare(tenant, tunnelId);
        const reset = await tenant.call('POST', `/api/users/${tenant.userId}/password-reset`);
        const { tunnels, users } = app.server.plugins;
        await app.redis.hset(`tenant:{${tenant.tenantId}}:info`, 'restoring', restoreId);
        expect(await codeOf(tunnels.authenticate(tunnelId, token))).to.equal('TENANT_RESTORING');
        expect(await codeOf(users.purge(tenant.tenantId, tenant.userId))).to.equal('TENANT_RESTORING');
        const accept = { token: invited.body.data.token, password: 'a password of Bob' };
        const answers = [
            await app.call('POST', '/api/auth/invitation/accept', { payload: accept }),
            await app.call('POST', '/api/auth/password/reset', {
                payload: { token: reset.body.data.token, newPassword: 'another password of Ada' },
            }),
            await app.call('GET', `/api/tunnels/${tunnelId}/http/x`, { token: share.token }),
        ];
        for (const { status, body } of answers) {
            expect([status, body.error.code]).to.equal([503, 'TENANT_RESTORING']);
        }
        await data.discard(tenant.tenantId, restoreId);
        expect((await app.call('POST', '/api/auth/invitation/accept', { payload: accept })).status).to.equal(200);
        expect(await tunnels.authenticate(tunnelId, token)).to.not.be.null();
    });

    it('admits to what watches the restore', async () => {
        const done = begin();
        await isWaiting;
        expect((await tenant.call('GET', '/api/test/watched')).status).to.equal(200);
        // Its user is not back yet.
        const user = `tenant:{${tenant.tenantId}}:user:${tenant.userId}`;
        await app.redis.rename(user, `${user}-away`);
        expect((await tenant.call('GET', '/api/test/watched')).status).to.equal(503);
        await app.redis.rename(`${user}-away`, user);
        go();
        await done;
    });

    it('is as before when the restore is given up in the grace', async () => {
        const done = begin();
        await isWaiting;
        await data.discard(tenant.tenantId, restoreId);
        expect((await tenant.call('GET', '/api/threads')).status).to.equal(200);
        go();
        await expect(done).to.reject();
        expect((await tenant.call('GET', '/api/threads')).status).to.equal(200);
    });

    it('is not restored by two restores at once', async () => {
        const done = begin();
        await isWaiting;
        const second = newRestoreId();
        await data.stage(tenant.tenantId, second, told(await readAll(data, tenant.tenantId)));
        const refused = await data.swap(tenant.tenantId, second, ['database']).catch((error: unknown) => error);
        expect((refused as { data: unknown }).data).to.equal({ code: 'TENANT_RESTORING' });
        go();
        await done;
        await data.discard(tenant.tenantId, second);
    });
});
