import { expect } from '@hapi/code';
import { Server } from '@hapi/hapi';
import Lab from '@hapi/lab';

import { Simulator } from '../../../plugins/vms/drivers/simulator.ts';
import { historyAnswer, historyExample, metricsAnswer, metricsExample } from '../../../plugins/vms/metric-schemas.ts';
import { MetricsService } from '../../../plugins/vms/metrics-service.ts';
import { MetricsStore } from '../../../plugins/vms/metrics-store.ts';
import { getVmMetricsHistory } from '../../../plugins/vms/routes/get-vm-metrics-history.ts';
import { getVmMetrics } from '../../../plugins/vms/routes/get-vm-metrics.ts';
import { apiError } from '../../../src/http/errors.ts';
import { newId } from '../../../src/ids.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { newTenantId, NOON, openStore, type TestStore } from '../../helpers/store.ts';

import type { Actor } from '../../../src/types/actor.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

describe('the metrics of a VM', () => {
    let redis: TestRedis;
    let test: TestStore;
    let server: Server;
    let metrics: MetricsService;
    const [tenantId, vmId] = [newTenantId(), newId('vm')];

    const get = async (path: string, options: { tenantId?: string; scope?: string[] } = {}) => {
        const { tenantId: caller = tenantId, scope = ['vm:read'] } = options;
        const actor = { tenantId: caller } as Actor;
        const credentials = { actor, scope } as never;
        const response = await server.inject({ url: `/api/vms/${path}`, auth: { strategy: 'test', credentials } });
        // oxlint-disable-next-line typescript/no-explicit-any -- a test says what it expects of an answer
        return { status: response.statusCode, body: JSON.parse(response.payload) as any };
    };

    before(async () => {
        redis = await startRedis();
        test = await openStore(redis.path);
        const driver = new Simulator(test.store, { VM_ADDRESS_RANGE: '10.64.0.0/16', VM_SIMULATOR_DELAY_MS: 0 });
        metrics = new MetricsService({
            store: new MetricsStore(test.store),
            driver,
            vms: {
                async get(actor, id) {
                    const status = await test.redis.hget(tenantKey(actor.tenantId, 'vm', id), 'status');
                    if (status === null) throw apiError('VM_NOT_FOUND');
                    return { id, tenantId: actor.tenantId, status, driver: 'simulator' };
                },
            },
            clock: () => NOON,
        });
        server = new Server();
        server.auth.scheme('test', () => ({ authenticate: (_request, h) => h.unauthenticated(new Error()) }));
        server.auth.strategy('test', 'test');
        server.auth.default('test');
        server.route([getVmMetrics(metrics), getVmMetricsHistory(metrics)] as never);
        await test.redis.hset(tenantKey(tenantId, 'vm', vmId), 'status', 'running');
        const size = { instanceType: 'small', vcpus: 1, memoryGb: 1, diskGb: 20, image: 'debian-13' };
        await driver.create({ tenantId, vmId, name: 'web-1', ...size });
        await metrics.sample({ tenantId, vmId });
    });

    after(async () => {
        await test.close();
        await redis.stop();
    });

    it('are what the driver says', async () => {
        const { status, body } = await get(`${vmId}/metrics`);
        expect(status).to.equal(200);
        expect(body.metrics).to.include({ vmId, status: 'running', isSimulated: true, unavailable: {} });
        expect(Number(body.metrics.cpuPercent)).to.be.within(0, 100);
    });

    it('are null, with the reason, while it does not run', async () => {
        await test.redis.hset(tenantKey(tenantId, 'vm', vmId), 'status', 'stopped');
        const { status, body } = await get(`${vmId}/metrics`);
        await test.redis.hset(tenantKey(tenantId, 'vm', vmId), 'status', 'running');
        expect(status).to.equal(200);
        expect(body.metrics).to.include({ cpuPercent: null, networkInBytesPerSecond: null, isSimulated: true });
        expect(body.metrics.unavailable).to.include({ cpuPercent: 'The VM is stopped and does not run.' });
    });

    it('have a history of a day in intervals of five minutes, unless it is asked for otherwise', async () => {
        const { status, body } = await get(`${vmId}/metrics/history`);
        expect(status).to.equal(200);
        expect(body.history).to.include({
            vmId,
            from: '2026-11-19T12:00:00.000Z',
            to: '2026-11-20T12:00:00.000Z',
            intervalSeconds: 300,
            points: 1,
            isSimulated: true,
        });
        expect(body.history.buckets).to.have.length(1);
        const other = await get(`${vmId}/metrics/history?hours=168&interval=3600`);
        expect(other.body.history).to.include({ from: '2026-11-13T12:00:00.000Z', intervalSeconds: 3_600 });
    });

    it('refuse other times and intervals, and other parameters', async () => {
        const within = ['hours=1', 'hours=168', 'interval=5', 'interval=3600'];
        for (const query of within) expect((await get(`${vmId}/metrics/history?${query}`)).status, query).to.equal(200);
        const others = ['hours=0', 'hours=169', 'hours=1.5', 'interval=4', 'interval=3601', 'interval=x', 'minutes=5'];
        for (const query of others) expect((await get(`${vmId}/metrics/history?${query}`)).status, query).to.equal(400);
        expect((await get('vm_1/metrics')).status).to.equal(400);
    });

    it('are for those who may read the VM', async () => {
        for (const path of [`${vmId}/metrics`, `${vmId}/metrics/history`]) {
            expect((await get(path, { scope: ['thread:read'] })).status, path).to.equal(403);
            expect((await get(path, { tenantId: newTenantId() })).status, path).to.equal(404);
            expect((await server.inject(`/api/vms/${path}`)).statusCode, path).to.not.equal(200);
        }
    });

    it('have examples that are answers', () => {
        expect(metricsAnswer.validate({ metrics: metricsExample }).error).to.be.undefined();
        expect(historyAnswer.validate({ history: historyExample }).error).to.be.undefined();
    });
});
