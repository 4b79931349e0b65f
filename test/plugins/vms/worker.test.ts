import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { expectError } from '../../helpers/expect-error.ts';
import { MemoryDriver, newPayingTenant, newProject, newVm } from '../../helpers/vm.ts';
import { startWithWorker, type AppWithWorker } from '../../helpers/with-worker.ts';

import type { TestTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, beforeEach, afterEach } = lab;

describe('VMs with a worker', () => {
    let world: AppWithWorker;
    let ada: TestTenant;
    let projectId: string;

    beforeEach(async () => {
        world = await startWithWorker();
        ada = await newPayingTenant(world.app);
        projectId = await newProject(ada);
    });

    afterEach(() => world.stop());

    const read = async (id: string) => (await ada.call('GET', `/api/vms/${id}`)).body.data.vm;

    it('are made, stopped, started, restarted and removed by the simulator, which says that it is one', async () => {
        const id = await newVm(ada, projectId);
        expect(await read(id)).to.include({ status: 'creating', driver: 'simulator', isSimulated: true });
        await world.due();
        const { ipAddress } = await read(id);
        expect(ipAddress).to.match(/^10\.64\.\d+\.\d+$/);
        const metrics = (await ada.call('GET', `/api/vms/${id}/metrics`)).body.data.metrics;
        expect(metrics).to.include({ vmId: id, status: 'running', isSimulated: true, unavailable: {} });
        expect(metrics.cpuPercent >= 0 && metrics.cpuPercent <= 100).to.be.true();
        for (const [operation, status] of [
            ['stop', 'stopped'],
            ['start', 'running'],
            ['restart', 'running'],
        ] as const) {
            await ada.call('POST', `/api/vms/${id}/${operation}`);
            await world.due();
            expect(await read(id)).to.include({ status, pending: null, ipAddress });
        }
        await ada.call('DELETE', `/api/vms/${id}`);
        await world.due();
        expectError(await ada.call('GET', `/api/vms/${id}`), 'VM_NOT_FOUND');
        expectError(await ada.call('GET', `/api/vms/${id}/metrics`), 'VM_NOT_FOUND');
    });

    it('are in error when the driver fails at every try of the job', async () => {
        const driver = new MemoryDriver();
        driver.failing.add('create');
        world.app.server.plugins.vms.runOn(driver);
        const id = await newVm(ada, projectId);
        for (let tries = 1; tries <= 5; tries++) {
            expect(await read(id)).to.include({ status: 'creating' });
            while (driver.calls.length < tries) await world.due();
        }
        await world.due();
        expect(await read(id)).to.include({ status: 'error', pending: null });
        await world.due();
        expect(driver.calls).to.have.length(5);
        expect(await world.jobs.queue.getFailedCount()).to.equal(0);
    });
});
