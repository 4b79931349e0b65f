import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { dollars } from '../../../src/money.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { setCredit } from '../../helpers/credit.ts';
import { setPlan } from '../../helpers/limits.ts';
import { connectAgent, newTunnel, startService, type TestService, type TestTunnel } from '../../helpers/live-tunnel.ts';
import { newProxy, recordsOf } from '../../helpers/proxy.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { until, type RunningAgent } from '../../helpers/tunnel-agent.ts';
import { newTunnel as newOffline } from '../../helpers/tunnel.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after, afterEach } = lab;

let redis: TestRedis;
let app: TestApp;
let service: TestService;
let tunnel: TestTunnel;
let agent: RunningAgent;
let status = 200;
/** What the service was asked. */
let asked: string[] = [];

before(async () => {
    redis = await startRedis();
    app = await startApp({ redisPath: redis.path, listen: true });
    service = await startService(({ method, url, headers }, response) => {
        asked.push(`${method} ${url} ${headers['user-agent']}`);
        // 0: it hangs.
        if (status !== 0) response.writeHead(status).end('Ollama is running');
    });
});

beforeEach(async () => {
    status = 200;
    asked = [];
    tunnel = await newTunnel(app);
    await setPlan(app, tunnel.tenant.tenantId, 'premium');
    await setCredit(app, tunnel.tenant.tenantId, dollars(1));
    agent = await connectAgent(app, tunnel, [service.url]);
});

afterEach(() => agent.stop());

after(async () => {
    await service.stop();
    await app.stop();
    await redis.stop();
});

const call = (method: string, path: string) => tunnel.tenant.call(method, `/api/proxies/${path}`);
/** By the port, which has no rate limit. */
const statusOf = async (id: string) => (await recordsOf(app).get(tunnel.tenant, id)).status;
const diagnose = async (id: string) => (await call('GET', `${id}/diagnostics`)).body.data.diagnostics;
const quick = { healthInterval: 1_000, healthTimeout: 1_000, healthPath: '/api/version?full=1' };

describe('a proxy in front of tunnels with agents', () => {
    it('runs when it is started, and each server looks at it by itself', async () => {
        const { id } = await newProxy(tunnel.tenant, [tunnel.tunnelId], { config: quick });
        const { proxy } = (await call('POST', `${id}/start`)).body.data;
        expect(proxy).to.include({ status: 'running', reason: null, desired: 'running' });
        // The agent has checks of its own.
        expect(asked.filter((what) => !what.startsWith('GET / '))).to.equal([
            'GET /api/version?full=1 llm-api-layer health check',
        ]);
        const { members } = (await call('GET', `${id}/health`)).body.data.health;
        expect(members[0]).to.include({ isHealthy: true, successes: 1, failures: 0, error: null });
        expect(members[0].latencyMs).to.be.a.number();
        status = 500;
        await until(async () => (await statusOf(id)) === 'error');
        status = 401;
        await until(async () => (await statusOf(id)) === 'running');
        await call('POST', `${id}/stop`);
    });

    it('is degraded when one has none', async () => {
        const offline = await newOffline(tunnel.tenant, 'offline');
        const { id } = await newProxy(tunnel.tenant, [tunnel.tunnelId, offline], { config: quick });
        expect((await call('POST', `${id}/start`)).body.data.proxy.status).to.equal('degraded');
        await call('POST', `${id}/stop`);
    });

    it('tells step by step what is wrong, now', async () => {
        const offline = await newOffline(tunnel.tenant, 'offline');
        const { id } = await newProxy(tunnel.tenant, [tunnel.tunnelId, offline], { config: quick });
        const [up, down] = await diagnose(id);
        expect(up).to.include({ tunnelId: tunnel.tunnelId, isFound: true, isConnected: true, isAnswering: true });
        expect(up).to.include({ status: 200, error: null });
        expect(up.latencyMs).to.be.a.number();
        expect(down).to.include({ tunnelId: offline, isFound: true, isConnected: false, isAnswering: false });
        expect(down).to.include({ status: null, latencyMs: null, error: 'offline' });
        status = 503;
        expect((await diagnose(id))[0]).to.include({ isAnswering: false, status: 503, error: 'status_503' });
        status = 0;
        expect((await diagnose(id))[0]).to.include({ isConnected: true, isAnswering: false, error: 'timeout' });
        expect(await statusOf(id)).to.equal('created');
    });

    it('says so when nothing is left to pay the traffic with', async () => {
        const { id } = await newProxy(tunnel.tenant, [tunnel.tunnelId], { config: quick });
        await setCredit(app, tunnel.tenant.tenantId, 0n);
        expect((await diagnose(id))[0]).to.include({ isConnected: true, isAnswering: false, error: 'credits' });
    });

    it('has its answers read to the end, and long ones let go', async () => {
        const long = await startService((_request, response) => {
            response.writeHead(200);
            const more = () => void (response.destroyed ? clearInterval(timer) : response.write('x'.repeat(4_096)));
            const timer = setInterval(more, 5);
            response.on('close', () => clearInterval(timer));
        });
        const other = await newTunnel(app);
        await setPlan(app, other.tenant.tenantId, 'premium');
        await setCredit(app, other.tenant.tenantId, dollars(1));
        const otherAgent = await connectAgent(app, other, [long.url]);
        const { id } = await newProxy(other.tenant, [other.tunnelId], { config: { healthTimeout: 60_000 } });
        const answer = await other.tenant.call('POST', `/api/proxies/${id}/start`);
        expect(answer.body.data.proxy.status).to.equal('running');
        await other.tenant.call('POST', `/api/proxies/${id}/stop`);
        await otherAgent.stop();
        await long.stop();
    });
});
