import { request, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { dollars } from '../../../../src/money.ts';
import { setCredit } from '../../../helpers/credit.ts';
import { setPlan } from '../../../helpers/limits.ts';
import {
    connectAgent,
    newTunnel,
    startListeningReplicas,
    startService,
    through,
    type TestService,
    type TestTunnel,
} from '../../../helpers/live-tunnel.ts';

import type { TestApp } from '../../../helpers/app.ts';
import type { RunningAgent } from '../../../helpers/tunnel-agent.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const MIB = 1_048_576;
const SIZE = 1_024 * MIB;
const PAUSES = 8;
const PAUSE_MS = 200;
/** Windows, buffers of sockets and what waits for the garbage collector, of both replicas, agent, service and client. */
const MEMORY_AT_MOST = 160 * MIB;

const piece = Buffer.alloc(65_536, 'x');

function* gigabyte(): Generator<Buffer> {
    for (let sent = 0; sent < SIZE; sent += piece.length) yield piece;
}

/** Reads with pauses, in each of which somebody looks around. */
async function readSlowly(body: AsyncIterable<Buffer>, lookAround: () => Promise<void>): Promise<number> {
    let read = 0;
    let pauses = 0;
    for await (const { length } of body) {
        read += length;
        if (pauses === PAUSES || read < ((pauses + 1) * SIZE) / (PAUSES + 1)) continue;
        pauses++;
        await sleep(PAUSE_MS);
        await lookAround();
    }
    return read;
}

describe('1 GiB through a tunnel, on the replica that does not hold the link', () => {
    let replicas: [TestApp, TestApp];
    let service: TestService;
    let tunnel: TestTunnel;
    let agent: RunningAgent;
    let most = 0;
    let answers = 0;

    /** In a pause: what is held in memory, and whether a second request on the same link is answered. */
    const lookAround = async () => {
        most = Math.max(most, process.memoryUsage().arrayBuffers);
        const response = await through(replicas[1], tunnel, '/small');
        if ((await response.text()) === 'small') answers++;
        most = Math.max(most, process.memoryUsage().arrayBuffers);
    };

    const ask = (method: string, path: string, body: Iterable<Buffer>): Promise<IncomingMessage> =>
        new Promise((resolve, reject) => {
            const url = `${replicas[1].server.info.uri}/api/tunnels/${tunnel.tunnelId}/http${path}`;
            const headers = { authorization: `Bearer ${tunnel.tenant.accessToken}` };
            const asked = request(url, { method, headers }, resolve).once('error', reject);
            if (method === 'GET') asked.end();
            else pipeline(Readable.from(body, { highWaterMark: 1 }), asked).catch(reject);
        });

    before(async () => {
        replicas = await startListeningReplicas();
        service = await startService(async (incoming, response) => {
            if (incoming.url === '/small') return response.end('small');
            if (incoming.method === 'GET') {
                return pipeline(Readable.from(gigabyte(), { highWaterMark: 1 }), response).catch(() => undefined);
            }
            return response.end(String(await readSlowly(incoming, lookAround)));
        });
        tunnel = await newTunnel(replicas[0]);
        const { tenantId } = tunnel.tenant;
        await setPlan(replicas[0], tenantId, 'enterprise');
        await setCredit(replicas[0], tenantId, dollars(1));
        agent = await connectAgent(replicas[0], tunnel, [service.url]);
    });

    after(async () => {
        await agent.stop();
        await service.stop();
        await Promise.all(replicas.map((app) => app.stop()));
    });

    it('comes down at the pace of a reader who pauses, with little in memory', { timeout: 240_000 }, async () => {
        [most, answers] = [0, 0];
        const answer = await ask('GET', '/down', []);
        expect(await readSlowly(answer, lookAround)).to.equal(SIZE);
        expect(answers).to.equal(PAUSES);
        expect(most).to.be.below(MEMORY_AT_MOST);
    });

    it('goes up at the pace of a reader who pauses, with little in memory', { timeout: 240_000 }, async () => {
        [most, answers] = [0, 0];
        const answer = await ask('POST', '/up', gigabyte());
        const said: Buffer[] = [];
        for await (const chunk of answer) said.push(chunk as Buffer);
        expect(Buffer.concat(said).toString()).to.equal(String(SIZE));
        expect(answers).to.equal(PAUSES);
        expect(most).to.be.below(MEMORY_AT_MOST);
    });
});
