import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../../helpers/app.ts';
import { freePort } from '../../../helpers/free-ports.ts';
import {
    connectAgent,
    newTunnel,
    startService,
    through,
    type TestService,
    type TestTunnel,
} from '../../../helpers/live-tunnel.ts';
import { until, type RunningAgent } from '../../../helpers/tunnel-agent.ts';
import { newEndpoint } from '../../../helpers/tunnel.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after, afterEach } = lab;

const health = { everyMs: 20, timeoutMs: 2_000, failures: 3, recoveryMs: 40 };
const AT_ONCE = 50;

describe('the endpoints of a tunnel', () => {
    let app: TestApp;
    let tunnel: TestTunnel;
    let agent: RunningAgent | undefined;
    let services: TestService[];

    before(async () => {
        app = await startApp({ listen: true });
    });

    beforeEach(async () => {
        services = [];
        tunnel = await newTunnel(app);
    });

    afterEach(async () => {
        await agent?.stop();
        agent = undefined;
        await Promise.all(services.map((service) => service.stop()));
    });

    after(() => app.stop());

    const service = async (...given: Parameters<typeof startService>): Promise<TestService> => {
        const started = await startService(...given);
        services.push(started);
        return started;
    };
    const saying = (text: string) => service((_request, response) => response.end(text));
    const add = (url: string, priority = 0) => newEndpoint(tunnel.tenant, tunnel.tunnelId, { url, priority });
    const connect = async (targets: string[], more: string[]) => {
        agent = await connectAgent(app, tunnel, targets, { health }, more);
    };
    const path = (rest: string) => `/api/tunnels/${tunnel.tunnelId}/${rest}`;
    const asked = async () => (await through(app, tunnel, '/')).text();
    const endpoint = async (id: string) => {
        const { body } = await tunnel.tenant.call('GET', path('endpoints'));
        return body.data.endpoints.find((each: { id: string }) => each.id === id);
    };

    it('are followed by their priority, and lose no request that may be repeated when the first one dies', async () => {
        let arrived = 0;
        let isHolding = true;
        const first = await service((request, response) => {
            if (request.url === '/held' && isHolding) return void arrived++;
            response.end('first');
        });
        const port = Number(new URL(first.url).port);
        const [high, low] = [await add(first.url), await add((await saying('second')).url, 1)];
        await connect([], ['--managed']);
        expect(await asked()).to.equal('first');
        const answers = Promise.all(
            Array.from({ length: AT_ONCE }, async () => {
                const answer = await through(app, tunnel, '/held');
                return [answer.status, await answer.text()].join(' ');
            }),
        );
        await until(() => arrived === AT_ONCE);
        await first.stop();
        expect(new Set(await answers)).to.equal(new Set(['200 second']));
        // It is down, and known to be.
        await until(async () => (await endpoint(high)).isHealthy === false);
        expect((await endpoint(high)).error).to.equal('Nobody listens there');
        expect((await endpoint(low)).isHealthy).to.be.true();
        expect(await asked()).to.equal('second');
        isHolding = false;
        services = services.filter((each) => each !== first);
        services.push(await startService((_request, response) => response.end('back'), port));
        await until(async () => (await asked()) === 'back');
        await until(async () => (await endpoint(high)).isHealthy === true);
    });

    it('are used as soon as they are added to an open link, and not any more when they are removed', async () => {
        const own = await saying('own');
        await connect([own.url], ['--managed']);
        expect(await asked()).to.equal('own');
        const id = await add((await saying('added')).url);
        await until(async () => (await asked()) === 'added');
        await until(async () => (await endpoint(id)).isHealthy === true);
        const moved = await saying('moved');
        await tunnel.tenant.call('PATCH', path(`endpoints/${id}`), { payload: { url: moved.url } });
        await until(async () => (await asked()) === 'moved');
        await tunnel.tenant.call('DELETE', path(`endpoints/${id}`));
        await until(async () => (await asked()) === 'own');
        await until(async () => {
            const { targets } = (await tunnel.tenant.call('GET', path('health'))).body.data.health;
            return targets.length === 1 && targets[0].endpoint === `${own.url}/`;
        });
    });

    it('are not followed by an agent that was not told to, which shows', async () => {
        const [own, theirs] = [await saying('own'), await saying('theirs')];
        const other = await saying('other');
        const [known, unknown] = [await add(own.url, 5), await add(theirs.url, 0)];
        await connect([own.url, other.url], []);
        // Without the endpoint's priority both were equal.
        for (let times = 0; times < 10; times++) expect(await asked()).to.equal('other');
        await until(
            async () => (await endpoint(known)).isHealthy === true && (await endpoint(unknown)).isHealthy === false,
        );
        expect(await endpoint(unknown)).to.include({ error: 'Not followed: start the agent with --managed' });
        const shown = (await tunnel.tenant.call('GET', path('health'))).body.data.health;
        expect(shown.state).to.equal('degraded');
        const ids = shown.targets.map((target: { endpoint: string }) => target.endpoint);
        expect(ids.toSorted()).to.equal([known, unknown, `${other.url}/`].toSorted());
    });

    it('show that nobody listens there', async () => {
        const id = await add(`http://127.0.0.1:${await freePort()}`);
        await connect([], ['--managed']);
        await until(async () => (await endpoint(id)).isHealthy === false);
        expect((await through(app, tunnel, '/')).status).to.equal(502);
    });
});
