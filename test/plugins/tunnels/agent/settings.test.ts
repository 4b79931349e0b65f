import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startService, type TestService } from '../../../helpers/live-tunnel.ts';
import { runAgent, startStandInGateway, textOf, until, type StandInGateway } from '../../../helpers/tunnel-agent.ts';

import type { Link } from '../../../../plugins/tunnels/link/link.ts';

export const lab = Lab.script();
const { describe, it, beforeEach, afterEach } = lab;

const settings = (...endpoints: [id: string, url: string, priority?: number][]) => ({
    compression: false,
    endpoints: endpoints.map(([id, url, priority = 0]) => ({ id, url, priority, weight: 1 })),
});
const ask = (link: Link, path = '/') =>
    link.request({ method: 'GET', path, headers: [] }, null, new AbortController().signal);

describe('what a tunnel says of endpoints, at the agent', () => {
    let gateway: StandInGateway;
    let services: TestService[];
    let finish: () => void;
    const checks = [0, 0];

    beforeEach(async () => {
        gateway = await startStandInGateway();
        checks.fill(0);
        services = await Promise.all(
            ['first', 'second'].map((name, index) =>
                startService((request, response) => {
                    if (request.url === '/slow') {
                        response.write('be');
                        finish = () => response.end('gun');
                        return;
                    }
                    checks[index]!++;
                    response.end(name);
                }),
            ),
        );
    });

    afterEach(async () => {
        await Promise.all(services.map((service) => service.stop()));
        await gateway.stop();
    });

    const healthIds = () => gateway.healths.at(-1)?.map(({ endpoint }) => endpoint);

    it('lets what runs finish on a target that is gone, and asks the new one at once', async () => {
        const [first = '', second = ''] = services.map(({ url }) => url);
        const agent = runAgent(gateway.url, [], {}, ['--managed']);
        const link = await gateway.untilLinks(1);
        link.settings(settings(['e1', first]));
        await until(() => healthIds()?.[0] === 'e1');
        const slow = await ask(link, '/slow');
        link.settings(settings(['e2', second]));
        await until(() => gateway.healths.at(-1)?.[0]?.latencyMs !== null && healthIds()?.[0] === 'e2');
        expect(await textOf(await ask(link))).to.equal('second');
        finish();
        expect(await textOf(slow)).to.equal('begun');
        expect(agent.told).to.include('Requests go elsewhere');
        await agent.stop();
    });

    it('keeps what is known of a target that stays, by whatever name', async () => {
        const [first = '', second = ''] = services.map(({ url }) => url);
        const agent = runAgent(gateway.url, [first], {});
        const link = await gateway.untilLinks(1);
        await until(() => typeof gateway.healths.at(-1)?.[0]?.latencyMs === 'number');
        const [known] = gateway.healths.at(-1) ?? [];
        expect(known?.endpoint).to.equal(`${first}/`);
        const before = checks[0];
        link.settings(settings(['e1', first, 4], ['e2', second]));
        await until(() => healthIds()?.[0] === 'e1');
        expect(gateway.healths.at(-1)).to.equal([
            { ...known!, endpoint: 'e1' },
            {
                endpoint: 'e2',
                isHealthy: false,
                latencyMs: null,
                error: 'Not followed: start the agent with --managed',
            },
        ]);
        expect(await textOf(await ask(link))).to.equal('first');
        expect(checks).to.equal([before! + 1, 0]);
        expect(agent.told).to.include('The tunnel has endpoints that are not used');
        link.settings(settings());
        await until(() => healthIds()?.join() === `${first}/`);
        await agent.stop();
    });

    it('follows no link but the newest', async () => {
        const [first = '', second = ''] = services.map(({ url }) => url);
        const agent = runAgent(gateway.url, [], {}, ['--managed']);
        const old = await gateway.untilLinks(1);
        old.settings(settings(['e1', first]));
        await until(() => healthIds()?.[0] === 'e1');
        const slow = await ask(old, '/slow');
        old.goAway('restart');
        const fresh = await gateway.untilLinks(2);
        old.settings(settings(['e2', second]));
        finish();
        expect(await textOf(slow)).to.equal('begun');
        await old.closed;
        expect(await textOf(await ask(fresh))).to.equal('first');
        await agent.stop();
    });

    it('has nowhere to go without endpoints and targets', async () => {
        const agent = runAgent(gateway.url, [], {}, ['--managed']);
        const link = await gateway.untilLinks(1);
        await expect(ask(link)).to.reject(/unreachable/);
        await agent.stop();
    });

    it('tells of as many as it may be told of', async () => {
        const agent = runAgent(gateway.url, ['http://127.0.0.1:1']);
        const link = await gateway.untilLinks(1);
        const many = Array.from({ length: 50 }, (_, index): [string, string] => [
            `${index}`.padStart(64, 'x'),
            'http://a',
        ]);
        link.settings(settings(...many));
        await until(() => gateway.healths.at(-1)?.length === 51);
        await agent.stop();
    });
});
