import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { Simulator } from '../../../../plugins/vms/drivers/simulator.ts';
import { newId } from '../../../../src/ids.ts';
import { tenantKey } from '../../../../src/redis/keys.ts';
import { startRedis, type TestRedis } from '../../../helpers/redis.ts';
import { newTenantId, NOON, openStore, type TestStore } from '../../../helpers/store.ts';

import type { DriverVm, VmDriver, VmSpec } from '../../../../plugins/vms/drivers/driver.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const newSpec = (): VmSpec => ({
    tenantId: newTenantId(),
    vmId: newId('vm'),
    name: 'web-1',
    instanceType: 'small',
    vcpus: 1,
    memoryGb: 1,
    diskGb: 20,
    image: 'debian-13',
});

const specs = (count: number): VmSpec[] => Array.from({ length: count }, newSpec);

describe('Simulator', () => {
    let redis: TestRedis;
    let stores: [TestStore, TestStore];
    let driver: VmDriver;
    let other: VmDriver;

    const open = (store: TestStore, range = '10.64.0.0/16', delayMs = 1_500) =>
        new Simulator(store.store, { VM_ADDRESS_RANGE: range, VM_SIMULATOR_DELAY_MS: delayMs });
    const keysOf = ({ vmId }: VmSpec) => stores[0].redis.keys(`*${vmId}*`);
    const takenAddresses = () =>
        stores[0].redis.bitcount(tenantKey('platform', 'simulator', 'addresses', '10.0.0.0/8'));
    const addressesOf = (vms: { ipAddress: string | null }[]) => vms.map(({ ipAddress }) => ipAddress);

    before(async () => {
        redis = await startRedis();
        stores = [await openStore(redis.path), await openStore(redis.path)];
    });

    beforeEach(async () => {
        await stores[0].redis.flushall();
        await Promise.all(stores.map(({ setTime }) => setTime(NOON)));
        driver = open(stores[0]);
        other = open(stores[1]);
    });

    after(async () => {
        await Promise.all(stores.map(({ close }) => close()));
        await redis.stop();
    });

    describe('create', () => {
        it('makes a VM that runs and has the first free address', async () => {
            const [first, second] = [newSpec(), newSpec()];
            expect(await driver.create(first)).to.equal({ state: 'running', ipAddress: '10.64.0.1' });
            expect(await driver.create(second)).to.equal({ state: 'running', ipAddress: '10.64.0.2' });
            expect(await other.inspect(first)).to.equal({ state: 'running', ipAddress: '10.64.0.1' });
            const { tenantId, vmId, name } = first;
            const key = tenantKey('platform', 'simulator', 'vm', vmId);
            expect(await stores[0].redis.hgetall(key)).to.include({ tenantId, name, state: 'running' });
        });

        it('gives 200 VMs of two replicas and of many tenants 200 addresses', async () => {
            const made = await Promise.all(specs(200).map((spec, n) => (n % 2 === 0 ? driver : other).create(spec)));
            expect(new Set(addressesOf(made)).size).to.equal(200);
            expect(made.every(({ ipAddress }) => /^10\.64\.0\.\d+$/.test(ipAddress ?? ''))).to.be.true();
            expect(await takenAddresses()).to.equal(200);
        });

        it('makes one VM with one address, of 20 at once, and leaves it as it is', async () => {
            const spec = newSpec();
            const twenty = Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? driver : other).create(spec));
            expect(new Set(addressesOf(await Promise.all(twenty)))).to.equal(new Set(['10.64.0.1']));
            expect(await takenAddresses()).to.equal(1);
            await driver.stop(spec);
            expect(await other.create(spec)).to.equal({ state: 'stopped', ipAddress: '10.64.0.1' });
        });

        it('fails when the range is full, makes nothing, and goes on when an address is free again', async () => {
            const small = open(stores[0], '10.9.9.0/29');
            const six = specs(6);
            const made = await Promise.all(six.map((spec) => small.create(spec)));
            const hosts = [1, 2, 3, 4, 5, 6].map((n) => `10.9.9.${n}`);
            expect(new Set(addressesOf(made))).to.equal(new Set(hosts));
            const late = newSpec();
            await expect(small.create(late)).to.reject(
                'No address of 10.9.9.0/29 is left: remove VMs, or set VM_ADDRESS_RANGE to a larger range',
            );
            expect(await keysOf(late)).to.equal([]);
            expect(await small.create(six[0] ?? late)).to.include({ ipAddress: made[0]?.ipAddress ?? '' });

            await small.remove(six[3] ?? late);
            expect(await small.create(late)).to.equal({ state: 'running', ipAddress: made[3]?.ipAddress ?? '' });
            await expect(small.create(newSpec())).to.reject();
        });

        it('gives the last address of a range to one of 20 at once', async () => {
            const [small, twin] = [open(stores[0], '10.9.9.0/30'), open(stores[1], '10.9.9.0/30')];
            await small.create(newSpec());
            const tries = specs(20).map((spec, n) => (n % 2 === 0 ? small : twin).create(spec));
            const results = await Promise.allSettled(tries);
            expect(results.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
            expect(await takenAddresses()).to.equal(2);
        });

        it('gives no address twice where ranges overlap, as after a change of the setting', async () => {
            const narrow = open(stores[0], '10.64.0.0/29');
            const wide = open(stores[1], '10.64.0.0/16');
            const made = await Promise.all(specs(6).map((spec) => narrow.create(spec)));
            const more = await Promise.all(specs(5).map((spec) => wide.create(spec)));
            expect(new Set(addressesOf([...made, ...more])).size).to.equal(11);
            // In the wide range the broadcast address of the narrow one is an address like others.
            expect(addressesOf(more)).to.include('10.64.0.7');
            await expect(narrow.create(newSpec())).to.reject();
        });

        it('takes addresses of each private block', async () => {
            const large = open(stores[0], '10.0.0.0/8');
            expect(await large.create(newSpec())).to.include({ ipAddress: '10.0.0.1' });
            const carrier = open(stores[0], '172.31.255.252/30');
            expect(await carrier.create(newSpec())).to.include({ ipAddress: '172.31.255.253' });
            expect(await carrier.create(newSpec())).to.include({ ipAddress: '172.31.255.254' });
            await expect(carrier.create(newSpec())).to.reject();
            const home = open(stores[0], '192.168.7.0/24');
            expect(await home.create(newSpec())).to.include({ ipAddress: '192.168.7.1' });
        });
    });

    describe('start, stop and restart', () => {
        it('set the state and keep the address, done again as well', async () => {
            const spec = newSpec();
            await driver.create(spec);
            const stopped: DriverVm = { state: 'stopped', ipAddress: '10.64.0.1' };
            expect([await driver.stop(spec), await other.stop(spec)]).to.equal([stopped, stopped]);
            expect(await driver.inspect(spec)).to.equal(stopped);
            const running: DriverVm = { state: 'running', ipAddress: '10.64.0.1' };
            expect([await driver.start(spec), await other.start(spec)]).to.equal([running, running]);
            expect([await driver.restart(spec), await other.restart(spec)]).to.equal([running, running]);
            await driver.stop(spec);
            expect(await driver.restart(spec)).to.equal(running);
            expect(await driver.inspect(spec)).to.equal(running);
        });

        it('give all of 20 at once the same answer', async () => {
            const spec = newSpec();
            await driver.create(spec);
            for (const operation of ['stop', 'start', 'restart'] as const) {
                const all = Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? driver : other)[operation](spec));
                const state = operation === 'stop' ? 'stopped' : 'running';
                const answers = (await Promise.all(all)).map((vm) => `${vm.state} ${vm.ipAddress}`);
                expect(new Set(answers)).to.equal(new Set([`${state} 10.64.0.1`]));
            }
            expect(await takenAddresses()).to.equal(1);
        });

        it('fail when there is no VM, and make none', async () => {
            const spec = newSpec();
            for (const operation of ['start', 'stop', 'restart'] as const) {
                await expect(driver[operation](spec)).to.reject(`The simulator has no VM ${spec.vmId}`);
            }
            expect(await keysOf(spec)).to.equal([]);
            expect(await driver.inspect(spec)).to.be.null();
        });
    });

    describe('remove', () => {
        it('leaves nothing of a VM and gives its address to the next one', async () => {
            const [spec, next] = [newSpec(), newSpec()];
            await driver.create(spec);
            await driver.create(newSpec());
            await driver.remove(spec);
            expect(await keysOf(spec)).to.equal([]);
            expect(await driver.inspect(spec)).to.be.null();
            expect(await driver.create(next)).to.include({ ipAddress: '10.64.0.1' });
        });

        it('frees an address once, whatever has it afterwards, and is fine when there is no VM', async () => {
            const [spec, next] = [newSpec(), newSpec()];
            await driver.remove(spec);
            await driver.create(spec);
            await Promise.all(Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? driver : other).remove(spec)));
            expect(await takenAddresses()).to.equal(0);
            await driver.create(next);
            await driver.remove(spec);
            expect(await takenAddresses()).to.equal(1);
            expect(await driver.create(newSpec())).to.include({ ipAddress: '10.64.0.2' });
        });

        it('frees addresses of a range that was set before', async () => {
            const spec = newSpec();
            await open(stores[0], '192.168.7.0/24').create(spec);
            await driver.remove(spec);
            const key = tenantKey('platform', 'simulator', 'addresses', '192.168.0.0/16');
            expect(await stores[0].redis.bitcount(key)).to.equal(0);
            expect(await driver.create(newSpec())).to.include({ ipAddress: '10.64.0.1' });
        });
    });

    it('takes its time for all but removing, as the setting says', () => {
        const operations = ['create', 'start', 'stop', 'restart', 'remove'] as const;
        expect(operations.map((operation) => driver.delayMs(operation))).to.equal([1_500, 1_500, 1_500, 1_500, 0]);
        const quick = open(stores[0], '10.64.0.0/16', 0);
        expect(operations.map((operation) => quick.delayMs(operation))).to.equal([0, 0, 0, 0, 0]);
    });

    it('has all its keys in the slot of the platform', async () => {
        const spec = newSpec();
        await driver.create(spec);
        await driver.stop(spec);
        const keys = (await stores[0].redis.keys('tenant:*')).toSorted();
        expect(keys).to.equal([
            'tenant:{platform}:simulator:addresses:10.0.0.0/8',
            `tenant:{platform}:simulator:vm:${spec.vmId}`,
        ]);
    });

    describe('metrics', () => {
        it('are marked as simulated, the same on every replica, and of the time they are asked at', async () => {
            const spec = newSpec();
            await driver.create(spec);
            const at = Date.parse('2026-11-20T13:07:00.000Z');
            await Promise.all(stores.map(({ setTime }) => setTime(at)));
            const metrics = await driver.metrics(spec);
            expect(metrics).to.include({ at, isSimulated: true, unavailable: {} });
            expect(await other.metrics(spec)).to.equal(metrics);
        });

        it('are there only while the VM runs', async () => {
            const spec = newSpec();
            expect(await driver.metrics(spec)).to.be.null();
            await driver.create(spec);
            expect(await driver.metrics(spec)).to.not.be.null();
            await driver.stop(spec);
            expect(await driver.metrics(spec)).to.be.null();
            await driver.remove(spec);
            expect(await driver.metrics(spec)).to.be.null();
        });
    });
});
