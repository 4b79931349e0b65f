import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { temporaryFolder } from '../../helpers/folder.ts';
import { freePort } from '../../helpers/free-ports.ts';
import { parseMetrics } from '../../helpers/metrics.ts';
import { launchProcess, type TestProcess } from '../../helpers/process.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

describe('METRICS_PORT of a worker', () => {
    let redis: TestRedis;
    let worker: TestProcess;
    let url: string;

    before(async () => {
        const [port, monitoring] = [await freePort(), await freePort()];
        redis = await startRedis(['--port', String(port), '--bind', '127.0.0.1']);
        url = `http://127.0.0.1:${monitoring}`;
        worker = launchProcess({
            DATA_DIR: temporaryFolder(),
            REDIS_URL: `redis://127.0.0.1:${port}`,
            JWT_KEYS: 'k1:a secret of a test that is long enough to be one',
            VAULT_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
            ROLE: 'worker',
            METRICS_PORT: String(monitoring),
        });
        while (!worker.output().stdout.includes('"working"')) await sleep(20);
    });

    after(async () => {
        await worker.stop();
        await redis.stop();
    });

    it('has its metrics: what it does, and what it takes', async () => {
        const response = await fetch(`${url}/metrics`);
        expect(response.status).to.equal(200);
        expect(response.headers.get('content-type')).to.include('text/plain');
        const names = new Set(parseMetrics(await response.text()).map(({ name }) => name));
        for (const name of ['process_resident_memory_bytes', 'nodejs_eventloop_lag_p99_seconds', 'jobs_queued']) {
            expect(names.has(name), name).to.be.true();
        }
    });

    it('has the probes', async () => {
        for (const path of ['/health/live', '/health/ready']) {
            const response = await fetch(url + path);
            expect([path, response.status]).to.equal([path, 200]);
            expect(((await response.json()) as { success: boolean }).success).to.be.true();
        }
    });

    it('has nothing else, and shows the metrics to nobody from outside', async () => {
        for (const path of ['/', '/health', '/api/errors', '/metrics?a=1', '/metrics/']) {
            expect([path, (await fetch(url + path)).status]).to.equal([path, 404]);
        }
        expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).to.equal(404);
        const refused = await fetch(`${url}/metrics`, { headers: { 'x-forwarded-for': '8.8.8.8' } });
        expect(refused.status).to.equal(403);
        const { error } = (await refused.json()) as { error: { code: string } };
        expect(error.code).to.equal('NETWORK_REFUSED');
    });

    it('outlives whoever speaks no HTTP, and ends with the process', async () => {
        const socket = connect(Number(new URL(url).port), '127.0.0.1');
        await once(socket, 'connect');
        socket.on('error', () => undefined).end('nonsense\r\n\r\n');
        await once(socket.resume(), 'close');
        expect((await fetch(`${url}/health/live`)).status).to.equal(200);
        const held = await fetch(`${url}/metrics`);
        const { code } = await worker.stop();
        expect([held.status, code]).to.equal([200, 0]);
    });
});
