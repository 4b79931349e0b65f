import { once } from 'node:events';
import { createServer, type Server } from 'node:http';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { freePort } from '../../../helpers/free-ports.ts';
import {
    close,
    spawnAgent,
    startStandInGateway,
    textOf,
    TOKEN,
    until,
    type AgentProcess,
    type StandInGateway,
} from '../../../helpers/tunnel-agent.ts';

import type { AddressInfo } from 'node:net';

export const lab = Lab.script();
const { describe, it, before, after, afterEach } = lab;

describe('llm-tunnel', () => {
    let gateway: StandInGateway;
    let service: Server;
    let target: string;
    let processes: AgentProcess[] = [];

    before(async () => {
        gateway = await startStandInGateway();
        service = createServer((_request, response) => response.end('from the target'));
        await once(service.listen(0, '127.0.0.1'), 'listening');
        target = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
    });

    after(async () => {
        await close(service);
        await gateway.stop();
    });

    afterEach(async () => {
        gateway.refuse(null);
        await Promise.all(processes.map((each) => each.stop('SIGKILL')));
        processes = [];
    });

    const start = (...args: Parameters<typeof spawnAgent>): AgentProcess => {
        const each = spawnAgent(...args);
        processes.push(each);
        return each;
    };
    const given = (): string[] => ['--url', gateway.url, '--target', target];

    it('relays until it is asked to stop, and ends with 0', async () => {
        const links = gateway.links.length;
        const agent = start(given(), { LLM_TUNNEL_TOKEN: TOKEN });
        const link = await gateway.untilLinks(links + 1);
        const head = { method: 'GET', path: '/', headers: [] };
        const answer = await link.request(head, null, new AbortController().signal);
        expect(await textOf(answer)).to.equal('from the target');
        expect(await agent.stop()).to.equal(0);
        const lines = agent.output().stdout.trim().split('\n');
        const told = lines.map((line) => JSON.parse(line));
        expect(told.map(({ message }) => message)).to.equal(['Connected', 'Relayed', 'Stopping']);
        expect(agent.output().stdout).to.not.contain(TOKEN);
    });

    it('explains itself', async () => {
        const agent = start(['--help']);
        expect(await agent.exit).to.equal(0);
        for (const option of ['--target', '--managed']) expect(agent.output().stdout).to.contain(option);
    });

    it('ends with 2 when it is used wrongly, and says how', async () => {
        const agent = start(given());
        expect(await agent.exit).to.equal(2);
        expect(agent.output().stderr).to.contain('--token is missing');
    });

    it('ends with 3 when the token is refused', async () => {
        gateway.refuse(401);
        const agent = start([...given(), '--token', TOKEN]);
        expect(await agent.exit).to.equal(3);
        expect(agent.output().stdout).to.contain('The token is refused');
    });

    it('ends with 5 when the API is not there, only with --once', async () => {
        const nobody = ['--url', `http://127.0.0.1:${await freePort()}`, '--target', target, '--token', TOKEN];
        expect(await start([...nobody, '--once']).exit).to.equal(5);
        const patient = start(nobody);
        await until(() => patient.output().stdout.split('No connection').length > 2);
        expect(await patient.stop()).to.equal(0);
    });
});
