import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startBalancer, type Balancer } from './helpers/balancer.ts';
import { freePort } from './helpers/free-ports.ts';
import { startService, type TestService } from './helpers/live-tunnel.ts';
import { startProcess, type TestProcess } from './helpers/process.ts';
import { newClient, post, type Client } from './helpers/program.ts';
import { startRedis, type TestRedis } from './helpers/redis.ts';
import { spawnAgent, until, type AgentProcess } from './helpers/tunnel-agent.ts';

export const lab = Lab.script();
const { describe, it, beforeEach, afterEach } = lab;

/** To be told so, not to wait for something. */
const AT_ONCE_MS = 5_000;
const BACK_WITHIN_MS = 15_000;
/** A ping every 20 s, and 10 s for its answer. */
const NOTICED_WITHIN_MS = 30_000;
const TIMEOUT_MS = 2_000;

describe('a tunnel over two replicas', () => {
    let redis: TestRedis;
    let holder: TestProcess;
    let other: TestProcess;
    let service: TestService;
    let balancer: Balancer;
    let client: Client;
    let tunnel: { id: string; token: string };
    let agent: AgentProcess;

    const startAgent = () =>
        spawnAgent(['--url', balancer.url, '--target', service.url], { LLM_TUNNEL_TOKEN: tunnel.token });

    /** What a client is told, and after how many milliseconds. */
    const ask = async ({ url }: TestProcess): Promise<{ answer: string; ms: number }> => {
        const began = Date.now();
        const response = await fetch(`${url}/api/tunnels/${tunnel.id}/http/`, {
            headers: { authorization: `Bearer ${client.token}` },
        });
        const text = await response.text();
        const answer = response.status === 200 ? text : `${response.status} ${JSON.parse(text).error.code}`;
        return { answer, ms: Date.now() - began };
    };

    const untilBack = (program: TestProcess, withinMs: number) =>
        until(async () => (await ask(program)).answer === 'well', withinMs);

    beforeEach(async () => {
        const port = await freePort();
        redis = await startRedis(['--port', String(port)]);
        const shared = {
            REDIS_URL: `redis://127.0.0.1:${port}`,
            JWT_KEYS: 'k1:a secret of a test that is long enough to be one',
            VAULT_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
            INTERNAL_KEY: 'a key that only these two replicas know of',
        };
        const start = async () => startProcess({ ...shared, INTERNAL_PORT: String(await freePort()) });
        holder = await start();
        other = await start();
        service = await startService((_request, response) => response.end('well'));
        client = await newClient(holder.url);
        const made = await post(
            `${holder.url}/api/tunnels`,
            { name: 'home', config: { timeout: TIMEOUT_MS } },
            client.token,
        );
        tunnel = { id: made.data.tunnel.id, token: made.data.token };
        await post(`${holder.url}/api/tunnels/${tunnel.id}/start`, {}, client.token);
        balancer = await startBalancer(holder.url);
        agent = startAgent();
        await untilBack(other, BACK_WITHIN_MS);
    });

    afterEach(async () => {
        await agent.stop('SIGKILL');
        await balancer.stop();
        await service.stop();
        await Promise.all([holder.stop(), other.stop()]);
        await redis.stop();
    });

    it('is back within 15 s after its replica was killed; until then it is offline at once', async () => {
        await holder.stop('SIGKILL');
        const killedAt = Date.now();
        balancer.turn(other.url);
        const { answer, ms } = await ask(other);
        expect(['503 TUNNEL_OFFLINE', 'well']).to.include(answer);
        expect(ms).to.be.below(AT_ONCE_MS);
        await untilBack(other, BACK_WITHIN_MS - (Date.now() - killedAt));
    });

    it('is offline at once after its agent was killed, and back with the next', async () => {
        await agent.stop('SIGKILL');
        await until(async () => (await ask(other)).answer === '503 TUNNEL_OFFLINE', AT_ONCE_MS);
        for (const program of [holder, other]) {
            const { answer, ms } = await ask(program);
            expect(answer).to.equal('503 TUNNEL_OFFLINE');
            expect(ms).to.be.below(AT_ONCE_MS);
        }
        agent = startAgent();
        await untilBack(other, BACK_WITHIN_MS);
    });

    it('times out while the network says nothing, which is noticed, and is back', { timeout: 120_000 }, async () => {
        balancer.freeze();
        const cutAt = Date.now();
        const { answer, ms } = await ask(other);
        expect(answer).to.equal('504 TUNNEL_TIMEOUT');
        expect(ms).to.be.within(TIMEOUT_MS - 50, TIMEOUT_MS + AT_ONCE_MS);
        await until(() => agent.output().stdout.includes('The connection is lost'), NOTICED_WITHIN_MS + AT_ONCE_MS);
        await untilBack(other, NOTICED_WITHIN_MS + BACK_WITHIN_MS - (Date.now() - cutAt));
    });
});
