import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { DAYS, openQueue, type TestQueue } from '../../helpers/jobs.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import {
    eventsOf,
    MemoryDriver,
    newPayingTenant,
    newProject,
    newRunningVm,
    newVm,
    settle,
    storedVm,
    tracesOf,
} from '../../helpers/vm.ts';

import type { DriverVm } from '../../../plugins/vms/drivers/driver.ts';
import type { TestTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, beforeEach, afterEach } = lab;

const MINUTE = 61_000;
const DUE = tenantKey('platform', 'vm-tenants');

describe('a look at the VMs of all tenants', () => {
    let redis: TestRedis;
    let app: TestApp;
    let jobs: TestQueue;
    let driver: MemoryDriver;
    let ada: TestTenant;
    let projectId: string;

    beforeEach(async () => {
        redis = await startRedis();
        app = await startApp({ redisPath: redis.path, config: { ACCESS_TOKEN_TTL: DAYS / 1000 } });
        jobs = await openQueue(redis.path);
        driver = new MemoryDriver();
        app.server.plugins.vms.runOn(driver);
        ada = await newPayingTenant(app);
        projectId = await newProject(ada);
    });

    afterEach(async () => {
        await jobs.close();
        await app.stop();
        await redis.stop();
    });

    const look = async () => {
        await app.advance(MINUTE);
        await app.server.plugins.vms.reconcile();
    };
    const read = async (id: string) => (await ada.call('GET', `/api/vms/${id}`)).body.data.vm;
    const ask = (id: string, operation: string) => ada.call('POST', `/api/vms/${id}/${operation}`);
    const finish = (id: string) => settle(app, ada.tenantId, id);
    /** The jobs of VMs that wait, oldest first. */
    const waiting = async () => {
        const found = await jobs.queue.getJobs(['waiting', 'delayed', 'prioritized'], 0, -1, true);
        return found.filter(({ name }) => name === 'operate-vm').map(({ data }) => data);
    };
    const empty = () => jobs.queue.drain(true);

    it('asks again for an operation whose job was lost, once in a while, by one process', async () => {
        const id = await newVm(ada, projectId);
        const [job] = await waiting();
        expect(job).to.include({ vmId: id, tenantId: ada.tenantId });
        await empty();
        await look();
        expect(await waiting()).to.equal([]);
        await look();
        // Nobody's request asks for it.
        const { requestId: _asked, ...again } = job ?? { tenantId: '' };
        expect(await waiting()).to.equal([again]);
        await look();
        expect(await waiting()).to.have.length(1);
        await Promise.all([look(), app.server.plugins.vms.reconcile(), app.server.plugins.vms.reconcile()]);
        expect(await waiting()).to.equal([again, again]);
        await app.server.plugins.vms.operate(job ?? { tenantId: '' });
        expect(await read(id)).to.include({ status: 'running', pending: null });
    });

    it('waits as long as the driver takes, and as long as it is tried again', async () => {
        driver.delay = 5 * MINUTE;
        const id = await newVm(ada, projectId);
        await empty();
        for (let times = 0; times < 6; times++) await look();
        expect(await waiting()).to.equal([]);
        driver.failing.add('create');
        await expect(finish(id)).to.reject();
        for (let times = 0; times < 6; times++) await look();
        expect(await waiting()).to.equal([]);
        await look();
        expect(await waiting()).to.have.length(1);
    });

    it('leaves alone what is as it should be, and measures what runs', async () => {
        const running = await newRunningVm(app, ada, projectId, { name: 'running' });
        const stopped = await newRunningVm(app, ada, projectId, { name: 'stopped' });
        await ask(stopped, 'stop');
        await finish(stopped);
        const stored = async () => {
            const records = await Promise.all([running, stopped].map((id) => storedVm(app, ada.tenantId, id)));
            // What is charged for running goes on.
            return records.map(({ costMicros: _cost, paidMinutes: _minutes, paidUntil: _until, ...record }) => record);
        };
        const before = [await stored(), await eventsOf(app, ada.tenantId, '')];
        driver.metrics = async () => ({
            at: 1,
            cpuPercent: 12.5,
            memoryPercent: 40,
            diskPercent: null,
            networkInBytesPerSecond: 0,
            networkOutBytesPerSecond: 0,
            isSimulated: false,
            unavailable: { diskPercent: 'No agent.' },
        });
        await look();
        expect([await stored(), await eventsOf(app, ada.tenantId, '')]).to.equal(before);
        const points = async (id: string) =>
            (await ada.call('GET', `/api/vms/${id}/metrics/history?hours=1`)).body.data.history.points;
        expect([await points(running), await points(stopped)]).to.equal([1, 0]);
    });

    it('stops the record of a VM that its driver has stopped', async () => {
        const id = await newRunningVm(app, ada, projectId);
        driver.vms.set(id, { state: 'stopped', ipAddress: null });
        await look();
        expect(await read(id)).to.include({ status: 'stopped', startedAt: null, errorReason: null });
        const event = (await eventsOf(app, ada.tenantId, 'vm.status_changed')).at(-1);
        expect(event?.data).to.equal({ vmId: id, projectId, userId: ada.userId, from: 'running', to: 'stopped' });
        const entry = (await readAudit(app, ada.tenantId)).find(({ action }) => action === 'vm.mend');
        expect(entry).to.include({ resourceId: id, result: 'success' });
    });

    it('says that a VM is in error which its driver has not any more', async () => {
        const id = await newRunningVm(app, ada, projectId);
        driver.vms.delete(id);
        await Promise.all([look(), app.server.plugins.vms.reconcile()]);
        expect(await read(id)).to.include({ status: 'error', errorReason: 'The VM is gone from where it ran.' });
        const changes = (await eventsOf(app, ada.tenantId, 'vm.status_changed')).map(({ data }) => data.to);
        expect(changes).to.equal(['running', 'error']);
    });

    it('changes nothing of a VM that was changed while its driver was asked', async () => {
        const id = await newRunningVm(app, ada, projectId);
        const { inspect } = driver;
        const meanwhile = async (work: () => Promise<unknown>, found: DriverVm | null) => {
            driver.inspect = async () => {
                driver.inspect = inspect;
                await work();
                return found;
            };
            await look();
        };
        await meanwhile(() => ask(id, 'stop'), null);
        expect(await read(id)).to.include({ status: 'running', errorReason: null });
        await finish(id);
        const restart = async () => {
            await ask(id, 'start');
            await finish(id);
        };
        await meanwhile(restart, { state: 'running', ipAddress: null });
        expect(await read(id)).to.include({ status: 'running', pending: null });
    });

    it('leaves a VM alone that another driver runs', async () => {
        const id = await newRunningVm(app, ada, projectId);
        app.server.plugins.vms.runOn(new MemoryDriver('another'));
        await look();
        expect(await read(id)).to.include({ status: 'running', driver: 'memory' });
    });

    it('stops a VM at its driver that runs though it should not', async () => {
        const stopped = await newRunningVm(app, ada, projectId, { name: 'stopped' });
        await ask(stopped, 'stop');
        await finish(stopped);
        driver.failing.add('create');
        const failed = await newVm(ada, projectId, { name: 'failed' });
        for (let tries = 1; tries < 5; tries++) await expect(finish(failed)).to.reject();
        await finish(failed);
        for (const id of [stopped, failed]) driver.vms.set(id, { state: 'running', ipAddress: null });
        await empty();
        await look();
        for (const id of [stopped, failed]) {
            expect((await read(id)).pending.operation).to.equal('stop');
            await finish(id);
            expect(await read(id)).to.include({ status: 'stopped', pending: null });
            expect(driver.vms.get(id)?.state).to.equal('stopped');
        }
        const changes = await eventsOf(app, ada.tenantId, 'vm.status_changed');
        expect(changes.filter(({ data }) => data.vmId === stopped)).to.have.length(2);
    });

    it('removes at the driver what has no record any more, for an hour', async () => {
        const id = await newRunningVm(app, ada, projectId);
        await ada.call('DELETE', `/api/vms/${id}`);
        await finish(id);
        driver.vms.set(id, { state: 'running', ipAddress: null });
        await look();
        expect(driver.vms.size).to.equal(0);
        expect(await app.redis.zscore(DUE, ada.tenantId)).to.be.a.string();
        await app.advance(3_600_000);
        await look();
        expect(await app.redis.zscore(DUE, ada.tenantId)).to.be.null();
        expect(await app.redis.exists(tenantKey(ada.tenantId, 'vms', 'removed'))).to.equal(0);
    });

    it('looks at no tenant that has no VM, but at one that is about to have one', async () => {
        expect(await app.redis.zcard(DUE)).to.equal(0);
        const poor = await newProject(ada, 'other');
        await app.redis.hset(tenantKey(ada.tenantId, 'credits'), 'balance', '0');
        const payload = { name: 'a', projectId: poor, instanceType: 'small', image: 'debian-13' };
        expectError(await ada.call('POST', '/api/vms', { payload }), 'INSUFFICIENT_CREDITS');
        expect(await app.redis.zcard(DUE)).to.equal(1);
        await look();
        expect(await app.redis.zcard(DUE)).to.equal(1);
        await look();
        expect(await app.redis.zcard(DUE)).to.equal(0);
        expect(await app.redis.exists(`${DUE}:noted`)).to.equal(0);
    });

    it('goes on with the others when one VM, or one tenant, cannot be looked at', async () => {
        const [broken, gone] = [
            await newRunningVm(app, ada, projectId, { name: 'broken' }),
            await newRunningVm(app, ada, projectId, { name: 'gone' }),
        ];
        driver.vms.delete(gone);
        const { inspect } = driver;
        driver.inspect = async (place) => {
            if (place.vmId === broken) throw new Error('The hypervisor at 10.9.8.7 is away');
            return inspect(place);
        };
        await app.redis.zadd(DUE, 0, 'tenant_of_nobody');
        await app.redis.set(tenantKey('tenant_of_nobody', 'vms'), 'in the way');
        await look();
        expect(await read(gone)).to.include({ status: 'error' });
        expect(await read(broken)).to.include({ status: 'running' });
        const told = app.logs.filter(({ msg }) => msg === 'VMs could not be compared with their driver');
        const named = told.map(({ tenantId, vmId }) => String(vmId ?? tenantId));
        expect(named.toSorted()).to.equal(['tenant_of_nobody', broken]);
    });

    it('takes each tenant to one of two replicas a round', async () => {
        const { JWT_KEYS, VAULT_KEYS } = app.config;
        const replica = await startApp({ redisPath: redis.path, config: { JWT_KEYS, VAULT_KEYS } });
        replica.server.plugins.vms.runOn(driver);
        const id = await newRunningVm(app, ada, projectId);
        await app.advance(MINUTE);
        await replica.advance(MINUTE);
        let looks = 0;
        const { inspect } = driver;
        driver.inspect = async (place) => {
            looks++;
            return inspect(place);
        };
        const both = [app, replica].map(({ server }) => server.plugins.vms.reconcile());
        await Promise.all(both);
        expect(looks).to.equal(1);
        expect(await read(id)).to.include({ status: 'running' });
        await replica.stop();
    });

    it('takes up the deletion of a project whose process died before it asked for anything', async () => {
        const ids = [await newRunningVm(app, ada, projectId), await newVm(ada, projectId, { name: 'creating' })];
        await ada.call('DELETE', `/api/projects/${projectId}`);
        await empty();
        await look();
        const wanted = await waiting();
        expect(wanted.map(({ vmId }) => String(vmId)).toSorted()).to.equal(ids.toSorted());
        // The last one is gone, and the process dies before it removes the project.
        const { projects } = app.server.plugins;
        for (const id of ids) {
            expect((await read(id)).pending.operation).to.equal('remove');
            const finishProject = projects.finish.bind(projects);
            projects.finish = async () => false;
            await finish(id);
            projects.finish = finishProject;
        }
        await empty();
        await look();
        expectError(await ada.call('GET', `/api/projects/${projectId}`), 'PROJECT_NOT_FOUND');
        expect(await tracesOf(app, ada.tenantId, [...ids, projectId])).to.equal([]);
        const events = (await eventsOf(app, ada.tenantId, 'project.')).map(({ type }) => type);
        expect(events).to.equal(['project.created', 'project.deleting', 'project.deleted']);
    });
});
