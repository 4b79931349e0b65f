import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../../helpers/app.ts';
import {
    connectAgent,
    newTunnel,
    startListeningReplicas,
    startService,
    through,
    type TestService,
} from '../../../helpers/live-tunnel.ts';
import { spawnAgent, until } from '../../../helpers/tunnel-agent.ts';

export const lab = Lab.script();
const { describe, it, beforeEach, afterEach } = lab;

describe('a replica that stops', () => {
    let first: TestApp;
    let second: TestApp;
    let service: TestService;
    const finishes: (() => void)[] = [];

    beforeEach(async () => {
        [first, second] = await startListeningReplicas();
        service = await startService((request, response) => {
            if (request.url !== '/slow') return response.end('well');
            response.write('be');
            finishes.push(() => response.end('gun'));
        });
    });

    afterEach(async () => {
        await service.stop();
        await second.stop();
    });

    /** As the program does it. */
    const drain = async (app: TestApp, deadlineMs: number): Promise<void> => {
        app.drain.begin();
        await Promise.all([app.stop(), app.drain.finish(AbortSignal.timeout(deadlineMs))]);
    };

    it('lets a running answer finish, while the agent is connected elsewhere already', async () => {
        const tunnel = await newTunnel(first);
        // The load balancer has but one address.
        const port = Number(new URL(first.server.info.uri).port);
        const agent = await connectAgent(first, tunnel, [service.url]);
        const slow = await through(second, tunnel, '/slow');
        const stopped = drain(first, 20_000);
        await until(() => agent.told.some((message) => message.startsWith('The server is about to stop')));
        const { JWT_KEYS, VAULT_KEYS, INTERNAL_KEY = '' } = first.config;
        let heir: TestApp | undefined;
        await until(async () => {
            heir = await startApp({ listen: true, config: { PORT: port, JWT_KEYS, VAULT_KEYS, INTERNAL_KEY } }).catch(
                () => undefined,
            );
            return heir !== undefined;
        });
        await until(async () => heir !== undefined && (await through(heir, tunnel, '/')).status === 200);
        finishes.pop()?.();
        expect(await slow.text()).to.equal('begun');
        await stopped;
        if (heir) expect((await through(heir, tunnel, '/')).status).to.equal(200);
        await agent.stop();
        await heir?.stop();
    });

    it('cuts what is not finished by the deadline', async () => {
        const tunnel = await newTunnel(first);
        const agent = await connectAgent(first, tunnel, [service.url]);
        const slow = await through(second, tunnel, '/slow');
        await drain(first, 200);
        await expect(slow.text()).to.reject();
        await agent.stop();
    });

    it('does not wait for an agent that does not answer any more', async () => {
        const tunnel = await newTunnel(first);
        const args = ['--url', first.server.info.uri, '--target', service.url, '--token', tunnel.token];
        const agent = spawnAgent(args);
        await until(async () => (await tunnel.status()) === 'connected');
        const slow = await through(second, tunnel, '/slow');
        process.kill(agent.pid, 'SIGSTOP');
        const since = Date.now();
        await drain(first, 200);
        // The closing handshake alone would wait for five.
        expect(Date.now() - since).to.be.below(4_000);
        await expect(slow.text()).to.reject();
        await agent.stop('SIGKILL');
    });

    it('is left at once when nothing runs', async () => {
        const tunnel = await newTunnel(first);
        const agent = await connectAgent(first, tunnel, [service.url]);
        await drain(first, 20_000);
        await until(() => agent.told.some((message) => message.startsWith('No connection')));
        await agent.stop();
    });
});
