import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import { WebSocket } from 'ws';

import {
    connectAgent,
    newTunnel,
    startListeningReplicas,
    startService,
    through,
    type TestService,
    type TestTunnel,
} from '../../../helpers/live-tunnel.ts';
import { newTenant } from '../../../helpers/tenant.ts';
import { spawnAgent, until, type RunningAgent } from '../../../helpers/tunnel-agent.ts';
import { newShare } from '../../../helpers/tunnel.ts';
import { newUser } from '../../../helpers/user.ts';

import type { TestApp } from '../../../helpers/app.ts';

export const lab = Lab.script();
const { describe, it, before, after, afterEach } = lab;

describe('the link of a tunnel', () => {
    let holder: TestApp;
    let other: TestApp;
    let service: TestService;
    let agents: RunningAgent[] = [];
    const finishes: (() => void)[] = [];
    let broken = 0;

    before(async () => {
        [holder, other] = await startListeningReplicas();
        service = await startService((request, response) => {
            if (request.url === '/silent') return;
            if (request.url !== '/slow') return response.end('well');
            response.once('close', () => !response.writableFinished && broken++);
            response.write('be');
            finishes.push(() => response.end('gun'));
        });
    });

    afterEach(async () => {
        for (const finish of finishes.splice(0)) finish();
        await Promise.all(agents.splice(0).map((agent) => agent.stop()));
    });

    after(async () => {
        await service.stop();
        await Promise.all([holder.stop(), other.stop()]);
    });

    const connect = async (tunnel: TestTunnel, app = holder): Promise<RunningAgent> => {
        const agent = await connectAgent(app, tunnel, [service.url]);
        agents.push(agent);
        return agent;
    };

    /** What a replica says to the request, the code in an error's place. */
    const said = async (app: TestApp, tunnel: TestTunnel, path = '/'): Promise<[number, string]> => {
        const response = await through(app, tunnel, path);
        const body = await response.text();
        return [response.status, response.ok ? body : JSON.parse(body).error.code];
    };

    /** The status that an upgrade is refused with; 101 when it is not. */
    const upgrade = (app: TestApp, tunnelId: string, authorization?: string, path = 'connect'): Promise<number> => {
        const url = `${app.server.info.uri.replace('http', 'ws')}/api/tunnels/${tunnelId}/${path}`;
        const socket = new WebSocket(url, { headers: authorization === undefined ? {} : { authorization } });
        return new Promise((resolve, reject) => {
            socket.once('error', reject);
            socket.once('unexpected-response', (request, response) => {
                request.destroy();
                resolve(response.statusCode ?? 0);
            });
            socket.once('open', () => {
                socket.terminate();
                resolve(101);
            });
        });
    };

    it('is refused with a real status: no token, another’s, an old one, a stopped tunnel, no tunnel', async () => {
        const tunnel = await newTunnel(holder);
        const another = await newTunnel(holder);
        const { tunnelId, token, tenant } = tunnel;
        expect(await upgrade(holder, tunnelId)).to.equal(401);
        expect(await upgrade(holder, tunnelId, `Bearer ${another.token}`)).to.equal(401);
        expect(await upgrade(holder, tunnelId, `Bearer ${tenant.accessToken}`)).to.equal(401);
        expect(await upgrade(holder, another.tunnelId, `Bearer ${token}`)).to.equal(401);
        expect(await upgrade(holder, tunnelId, `Bearer ${token}`, 'elsewhere')).to.equal(404);
        expect(await upgrade(holder, tunnelId, `Bearer ${token}`)).to.equal(101);
        await tenant.call('POST', `/api/tunnels/${tunnelId}/stop`);
        expect(await upgrade(holder, tunnelId, `Bearer ${token}`)).to.equal(409);
        await tenant.call('POST', `/api/tunnels/${tunnelId}/start`);
        await tenant.call('POST', `/api/tunnels/${tunnelId}/token`);
        expect(await upgrade(holder, tunnelId, `Bearer ${token}`)).to.equal(401);
    });

    it('makes the tunnel connected, and its end disconnected: 503 at once then', async () => {
        const tunnel = await newTunnel(holder);
        expect(await said(other, tunnel)).to.equal([503, 'TUNNEL_OFFLINE']);
        const agent = await connect(tunnel);
        expect(await said(holder, tunnel)).to.equal([200, 'well']);
        expect(await said(other, tunnel)).to.equal([200, 'well']);
        await agent.stop();
        await until(async () => (await tunnel.status()) === 'disconnected');
        expect(await said(holder, tunnel)).to.equal([503, 'TUNNEL_OFFLINE']);
        expect(await said(other, tunnel)).to.equal([503, 'TUNNEL_OFFLINE']);
    });

    it('ends with the process of its agent, and what runs on it is cut', async () => {
        const tunnel = await newTunnel(holder);
        const args = ['--url', holder.server.info.uri, '--target', service.url, '--token', tunnel.token];
        const agent = spawnAgent(args);
        await until(async () => (await tunnel.status()) === 'connected');
        const slow = await through(other, tunnel, '/slow');
        await agent.stop('SIGKILL');
        await expect(slow.text()).to.reject();
        await until(async () => (await tunnel.status()) === 'disconnected');
        expect(await said(other, tunnel)).to.equal([503, 'TUNNEL_OFFLINE']);
    });

    it('answers 504 when the agent is there and says nothing', async () => {
        const tunnel = await newTunnel(holder, { timeout: 1_000 });
        const args = ['--url', holder.server.info.uri, '--target', service.url, '--token', tunnel.token];
        const agent = spawnAgent(args);
        await until(async () => (await tunnel.status()) === 'connected');
        process.kill(agent.pid, 'SIGSTOP');
        expect(await said(holder, tunnel)).to.equal([504, 'TUNNEL_TIMEOUT']);
        expect(await said(other, tunnel)).to.equal([504, 'TUNNEL_TIMEOUT']);
        process.kill(agent.pid, 'SIGCONT');
        expect(await said(other, tunnel)).to.equal([200, 'well']);
        await agent.stop();
    });

    it('answers 504 when the service is silent, and 502 when it is not there', async () => {
        const tunnel = await newTunnel(holder, { timeout: 1_000 });
        await connect(tunnel);
        expect(await said(other, tunnel, '/silent')).to.equal([504, 'TUNNEL_TIMEOUT']);
        const lonely = await newTunnel(holder);
        agents.push(await connectAgent(holder, lonely, ['http://127.0.0.1:1']));
        expect(await said(other, lonely)).to.equal([502, 'TUNNEL_ERROR']);
    });

    it('carries as much at a time as the tunnel may, counted over all replicas', async () => {
        const tunnel = await newTunnel(holder, { maxConnections: 2 });
        await connect(tunnel);
        const running = await Promise.all([through(holder, tunnel, '/slow'), through(other, tunnel, '/slow')]);
        expect(await said(holder, tunnel)).to.equal([503, 'TUNNEL_BUSY']);
        expect(await said(other, tunnel)).to.equal([503, 'TUNNEL_BUSY']);
        for (const finish of finishes.splice(0)) finish();
        for (const response of running) expect(await response.text()).to.equal('begun');
        expect(await said(other, tunnel)).to.equal([200, 'well']);
    });

    it('is replaced by a newer one on any replica, and the old agent does not come back', async () => {
        const tunnel = await newTunnel(holder);
        const first = await connect(tunnel);
        const second = await connect(tunnel, other);
        expect(await first.exit).to.equal(4);
        expect(await said(holder, tunnel)).to.equal([200, 'well']);
        await connect(tunnel, other);
        expect(await second.exit).to.equal(4);
        expect(await tunnel.status()).to.equal('connected');
        expect(await said(holder, tunnel)).to.equal([200, 'well']);
    });

    it('leaves one of many that come at once', async () => {
        const tunnel = await newTunnel(holder);
        const racing = await Promise.all(
            Array.from({ length: 8 }, (_, index) => connect(tunnel, index % 2 ? holder : other)),
        );
        let ended = 0;
        for (const agent of racing) void agent.exit.then(() => ended++);
        await until(() => ended === racing.length - 1);
        expect(await said(holder, tunnel)).to.equal([200, 'well']);
        expect(await said(other, tunnel)).to.equal([200, 'well']);
        expect(ended).to.equal(racing.length - 1);
    });

    it('ends at once when the token is changed or the tunnel deleted, with what runs on it', async () => {
        for (const [method, path] of [
            ['POST', '/token'],
            ['DELETE', ''],
        ] as const) {
            const tunnel = await newTunnel(holder);
            const agent = await connect(tunnel);
            const slow = await through(holder, tunnel, '/slow');
            await tunnel.tenant.call(method, `/api/tunnels/${tunnel.tunnelId}${path}`);
            expect(await agent.exit, path).to.equal(3);
            await expect(slow.text(), path).to.reject();
        }
    });

    it('ends at once when the tunnel is stopped, and is back when it is started', async () => {
        const tunnel = await newTunnel(holder);
        const agent = await connect(tunnel);
        await tunnel.tenant.call('POST', `/api/tunnels/${tunnel.tunnelId}/stop`);
        await until(() => agent.told.some((message) => message.startsWith('The tunnel is stopped')));
        expect(await said(other, tunnel)).to.equal([503, 'TUNNEL_OFFLINE']);
        await tunnel.tenant.call('POST', `/api/tunnels/${tunnel.tunnelId}/start`);
        await until(async () => (await tunnel.status()) === 'connected');
        await until(async () => (await said(other, tunnel))[0] === 200);
    });

    it('is for its owner and his guests; who is not one any more loses also what runs', async () => {
        const tunnel = await newTunnel(holder);
        await connect(tunnel);
        const stranger = await newTenant(holder);
        const guest = await newUser(holder, tunnel.tenant.tenantId, 'user');
        const as = (accessToken: string): TestTunnel => ({ ...tunnel, tenant: { ...tunnel.tenant, accessToken } });
        expect(await said(other, as(stranger.accessToken))).to.equal([404, 'TUNNEL_NOT_FOUND']);
        expect(await said(other, as(guest.accessToken))).to.equal([404, 'TUNNEL_NOT_FOUND']);
        const share = await newShare(tunnel.tenant, tunnel.tunnelId, { userId: guest.userId, access: 'read' });
        expect(await said(other, as(guest.accessToken))).to.equal([200, 'well']);
        const slow = await through(other, as(guest.accessToken), '/slow');
        const own = await through(other, tunnel, '/slow');
        const before = broken;
        await tunnel.tenant.call('DELETE', `/api/tunnels/${tunnel.tunnelId}/shares/${share.id}`);
        await expect(slow.text()).to.reject();
        await until(() => broken === before + 1);
        expect(await said(other, as(guest.accessToken))).to.equal([404, 'TUNNEL_NOT_FOUND']);
        for (const finish of finishes.splice(0)) finish();
        expect(await own.text()).to.equal('begun');
    });
});
