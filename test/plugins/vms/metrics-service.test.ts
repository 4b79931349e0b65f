import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { Simulator } from '../../../plugins/vms/drivers/simulator.ts';
import { MetricsService } from '../../../plugins/vms/metrics-service.ts';
import { MetricsStore } from '../../../plugins/vms/metrics-store.ts';
import { apiError } from '../../../src/http/errors.ts';
import { newId } from '../../../src/ids.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { countCommands } from '../../helpers/count-commands.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { codeOf, newTenantId, NOON, openStore, type TestStore } from '../../helpers/store.ts';

import type { DriverMetrics, VmPlace } from '../../../plugins/vms/drivers/driver.ts';
import type { Actor } from '../../../src/types/actor.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const HOUR_MS = 3_600_000;
const MINUTES = { hours: 1, intervalSeconds: 60 };

const measured = (cpuPercent: number | null, rest: Partial<DriverMetrics> = {}): DriverMetrics => ({
    at: 0,
    cpuPercent,
    memoryPercent: 40,
    diskPercent: 12.5,
    networkInBytesPerSecond: 0,
    networkOutBytesPerSecond: 1_024,
    isSimulated: false,
    unavailable: {},
    ...rest,
});

describe('MetricsService', () => {
    let redis: TestRedis;
    let test: TestStore;
    let store: MetricsStore;
    let driver: Simulator;
    let place: VmPlace;
    let metrics: MetricsService;
    let actor: Actor;

    const setStatus = ({ tenantId, vmId }: VmPlace, status: string) =>
        test.redis.hset(tenantKey(tenantId, 'vm', vmId), 'status', status);
    const key = ({ tenantId, vmId }: VmPlace) => tenantKey(tenantId, 'vm', vmId, 'metrics');
    const create = () =>
        driver.create({
            ...place,
            name: 'web-1',
            instanceType: 'small',
            vcpus: 1,
            memoryGb: 1,
            diskGb: 20,
            image: 'debian-13',
        });
    /** As the VMs' own service: those of the actor's tenant. */
    const vms = {
        async get({ tenantId }: Actor, vmId: string) {
            const status = await test.redis.hget(tenantKey(tenantId, 'vm', vmId), 'status');
            if (status === null) throw apiError('VM_NOT_FOUND');
            return { id: vmId, tenantId, status, driver: 'simulator' };
        },
    };

    before(async () => {
        redis = await startRedis();
        test = await openStore(redis.path);
        store = new MetricsStore(test.store);
        driver = new Simulator(test.store, { VM_ADDRESS_RANGE: '10.64.0.0/16', VM_SIMULATOR_DELAY_MS: 0 });
        metrics = new MetricsService({ store, driver, vms, clock: () => NOON });
    });

    beforeEach(async () => {
        await test.setTime(NOON);
        place = { tenantId: newTenantId(), vmId: newId('vm') };
        actor = { tenantId: place.tenantId } as Actor;
        await setStatus(place, 'running');
    });

    after(async () => {
        await test.close();
        await redis.stop();
    });

    describe('record', () => {
        it('keeps a sample under the time by the clock of Redis', async () => {
            expect(await metrics.latest(place)).to.be.null();
            expect(await metrics.record(place, measured(10))).to.be.true();
            await test.setTime(NOON + 5_000);
            expect(await metrics.record(place, measured(20.25))).to.be.true();
            expect(await metrics.latest(place)).to.equal({ ...measured(20.25), at: NOON + 5_000 });
            expect(await metrics.history(place, MINUTES)).to.include({ points: 2 });
        });

        it('keeps what is not known as such, and why', async () => {
            const unknown = measured(null, { diskPercent: null, unavailable: { diskPercent: 'There is no agent.' } });
            await metrics.record(place, unknown);
            expect(await metrics.latest(place)).to.equal({ ...unknown, at: NOON });
        });

        it('keeps the 1,000 newest, of several that come at once as well', async () => {
            const pipeline = test.redis.pipeline();
            for (let n = 0; n < 995; n++) pipeline.xadd(key(place), `${NOON - 5_000 + n}-0`, 'cpuPercent', n);
            await pipeline.exec();
            await Promise.all(Array.from({ length: 20 }, () => metrics.record(place, measured(77.5))));
            expect(await test.redis.xlen(key(place))).to.equal(1_000);
            const { samples } = await store.read(place, 1);
            expect(samples.length).to.equal(1_000);
            expect(samples[0]?.cpuPercent).to.equal(15);
            expect(samples.filter(({ cpuPercent }) => cpuPercent === 77.5).length).to.equal(20);
        });

        it('goes on when the clock of Redis was set back', async () => {
            await metrics.record(place, measured(10));
            await test.setTime(NOON - 60_000);
            expect(await metrics.record(place, measured(20))).to.be.true();
            expect(await metrics.latest(place)).to.equal({ ...measured(20), at: NOON });
            await test.setTime(NOON + 1);
            await metrics.record(place, measured(30));
            expect(await metrics.latest(place)).to.equal({ ...measured(30), at: NOON + 1 });
        });

        it('keeps nothing of a VM that does not run, and leaves no key of one that is gone', async () => {
            for (const status of ['creating', 'stopped', 'error', 'terminated']) {
                await setStatus(place, status);
                expect(await metrics.record(place, measured(10)), status).to.be.false();
            }
            const gone = { ...place, vmId: newId('vm') };
            expect(await metrics.record(gone, measured(10))).to.be.false();
            expect(await test.redis.exists(key(place), key(gone))).to.equal(0);
        });

        it('has its key where the scripts that delete it look for it', () => {
            expect(store.key(place)).to.equal(`tenant:{${place.tenantId}}:vm:${place.vmId}:metrics`);
        });
    });

    describe('sample', () => {
        it('keeps what the driver says', async () => {
            await create();
            expect(await metrics.sample(place)).to.be.true();
            expect(await metrics.latest(place)).to.equal(await driver.metrics(place));
        });

        it('keeps nothing of a VM that the driver does not run', async () => {
            expect(await metrics.sample(place)).to.be.false();
            await create();
            await driver.stop(place);
            expect(await metrics.sample(place)).to.be.false();
            expect(await test.redis.exists(key(place))).to.equal(0);
        });
    });

    describe('history', () => {
        const recordAt = async (minutes: number, cpuPercent: number | null) => {
            await test.setTime(NOON + minutes * 60_000);
            await metrics.record(place, measured(cpuPercent));
        };

        it('has intervals, trends and the time that it is of', async () => {
            for (const [minute, cpu] of [
                [0, 10],
                [0.5, 30],
                [1, 40],
                [3, 50],
            ] as const)
                await recordAt(minute, cpu);
            await test.setTime(NOON + 5 * 60_000);
            const history = await metrics.history(place, MINUTES);
            expect(history).to.include({
                from: '2026-11-20T11:05:00.000Z',
                to: '2026-11-20T12:05:00.000Z',
                intervalSeconds: 60,
                points: 4,
                isSimulated: false,
            });
            expect(
                history.buckets.map(({ at, points, cpuPercent }) => [at.slice(11, 16), points, cpuPercent]),
            ).to.equal([
                ['12:00', 2, { average: 20, min: 10, max: 30 }],
                ['12:01', 1, { average: 40, min: 40, max: 40 }],
                ['12:03', 1, { average: 50, min: 50, max: 50 }],
            ]);
            // 10 and 30 are 20, 40 and 50 are 45.
            expect(history.trends).to.include({ cpuPercent: 'up', memoryPercent: 'stable' });
        });

        it('goes as far back as is asked for', async () => {
            for (const [minute, cpu] of [
                [0, 10],
                [30, 20],
                [60, 30],
            ] as const)
                await recordAt(minute, cpu);
            const seen = async (minutes: number, hours: number) => {
                await test.setTime(NOON + minutes * 60_000);
                return (await metrics.history(place, { hours, intervalSeconds: 5 })).points;
            };
            expect(await seen(60, 1)).to.equal(3);
            expect(await seen(60.001, 1)).to.equal(2);
            expect(await seen(121, 1)).to.equal(0);
            expect(await seen(121, 3)).to.equal(3);
            await test.setTime(NOON + 168 * HOUR_MS);
            expect((await metrics.history(place, { hours: 168, intervalSeconds: 3_600 })).buckets).to.have.length(2);
        });

        it('is marked when a figure of it is simulated, and when there are none yet and will be', async () => {
            expect(await metrics.history(place, MINUTES)).to.include({ points: 0, buckets: [], isSimulated: true });
            await metrics.record(place, measured(10));
            expect(await metrics.history(place, MINUTES)).to.include({ isSimulated: false });
            await metrics.record(place, measured(10, { isSimulated: true }));
            expect(await metrics.history(place, MINUTES)).to.include({ isSimulated: true });
        });

        it('is read in one round trip', async () => {
            for (let n = 0; n < 3; n++) await metrics.record(place, measured(n));
            await metrics.history(place, MINUTES);
            expect(await countCommands(test.redis, () => metrics.history(place, MINUTES))).to.equal(['evalsha']);
        });

        it('of another tenant is another one, under the same id', async () => {
            await metrics.record(place, measured(10));
            const other = { ...place, tenantId: newTenantId() };
            expect(await metrics.history(other, MINUTES)).to.include({ points: 0 });
            expect(await metrics.latest(other)).to.be.null();
        });
    });

    describe('current', () => {
        it('asks the driver', async () => {
            await create();
            const said = await driver.metrics(place);
            expect(await metrics.current(actor, place.vmId)).to.equal({
                ...said,
                vmId: place.vmId,
                status: 'running',
                at: '2026-11-20T12:00:00.000Z',
                isSimulated: true,
            } as never);
            expect(await test.redis.exists(key(place))).to.equal(0);
        });

        const none = {
            cpuPercent: null,
            memoryPercent: null,
            diskPercent: null,
            networkInBytesPerSecond: null,
            networkOutBytesPerSecond: null,
        };
        const because = (reason: string) => Object.fromEntries(Object.keys(none).map((figure) => [figure, reason]));

        it('says why there are no figures of a VM that does not run', async () => {
            await create();
            await setStatus(place, 'stopped');
            expect(await metrics.current(actor, place.vmId)).to.equal({
                vmId: place.vmId,
                status: 'stopped',
                at: '2026-11-20T12:00:00.000Z',
                ...none,
                isSimulated: true,
                unavailable: because('The VM is stopped and does not run.'),
            });
        });

        it('says so when the driver has no such VM', async () => {
            const current = await metrics.current(actor, place.vmId);
            const unavailable = because('The driver has no running VM.');
            expect(current).to.include({ ...none, status: 'running', isSimulated: true, unavailable });
        });
    });

    it('knows VMs of the actor only', async () => {
        const stranger = { tenantId: newTenantId() } as Actor;
        await create();
        await metrics.sample(place);
        expect(await codeOf(metrics.current(stranger, place.vmId))).to.equal('VM_NOT_FOUND');
        expect(await codeOf(metrics.historyOf(stranger, place.vmId, MINUTES))).to.equal('VM_NOT_FOUND');
        const history = await metrics.historyOf(actor, place.vmId, MINUTES);
        expect(history).to.include({ vmId: place.vmId, points: 1, isSimulated: true });
    });
});
