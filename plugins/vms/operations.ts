import { instanceTypeOf } from './instance-types.ts';
import { auditOf } from './operation-outbox.ts';
import { newId } from '../../src/ids.ts';
import { requestIdOf } from '../../src/redis/outbox.ts';

import type { Vm, VmStatus } from './api.ts';
import type { DriverVm, VmDriver, VmOperation, VmPlace } from './drivers/driver.ts';
import type { OperationStore } from './operation-store.ts';
import type { Beginning, Begun, VmStore } from './store.ts';
import type { JobData, Jobs } from '../../src/jobs/jobs.ts';
import type { Place } from '../../src/redis/collection.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { ProjectService } from '../projects/api.ts';

export const OPERATE_VM = 'operate-vm';
/** How often the driver is asked; the job waits longer each time, a minute and a quarter in all. */
const MOST_TRIES = 5;

export interface OperationParts {
    vms: VmStore;
    operations: OperationStore;
    projects: Pick<ProjectService, 'finish'>;
    driver: VmDriver;
    jobs: Jobs;
    logger: Logger;
}

/** What a VM goes through by an operation that its driver has done; the last one is how it is there then. */
const STATUSES: Record<Exclude<VmOperation, 'remove'>, [VmStatus, ...VmStatus[]]> = {
    create: ['running'],
    start: ['running'],
    stop: ['stopped'],
    restart: ['stopped', 'running'],
};

const PAST: Record<VmOperation, string> = {
    create: 'created',
    start: 'started',
    stop: 'stopped',
    restart: 'restarted',
    remove: 'removed',
};

/** The status that an operation leads to, or first passes through. */
export const firstStatusOf = (operation: Exclude<VmOperation, 'remove'>): VmStatus => STATUSES[operation][0];

/** Operations of VMs: asked for in one script, done by a job, applied in another script. */
export class Operations {
    readonly #parts: OperationParts;

    constructor(parts: OperationParts) {
        this.#parts = parts;
    }

    /** Makes an operation the pending one and leaves its job. @throws VM_NOT_FOUND, REVISION_MISMATCH */
    async begin(place: Place, vmId: string, beginning: Omit<Beginning, 'operationId'>): Promise<Begun> {
        const begun = await this.#parts.vms.begin(place, vmId, { ...beginning, operationId: newId('op') });
        if ('vm' in begun) await this.schedule(place.tenantId, begun.vm, { requestId: requestIdOf(beginning.outbox) });
        return begun;
    }

    /** Removes a VM here and now. @throws VM_NOT_FOUND; when the driver has failed */
    async removeNow(tenantId: string, vmId: string): Promise<void> {
        const { vms } = this.#parts;
        const beginning = { operation: 'remove', operationId: newId('op'), outbox: {} } as const;
        const begun = await vms.begin({ tenantId }, vmId, beginning);
        if ('vm' in begun) await this.run(tenantId, begun.vm);
    }

    /** The same with all VMs of a tenant. */
    async removeAll(tenantId: string): Promise<void> {
        for await (const page of this.#parts.vms.ofTenant(tenantId)) {
            for (const { id } of page) await this.removeNow(tenantId, id);
        }
    }

    /** Leaves the job of a VM's pending operation. Without it the operation is taken up in a minute or two. */
    async schedule(
        tenantId: string,
        { id: vmId, operation, operationId }: Vm,
        { again, requestId }: { again?: number; requestId?: string | undefined } = {},
    ): Promise<void> {
        if (operation === null || operationId === null) return;
        const { jobs, driver, logger } = this.#parts;
        const jobId = again === undefined ? operationId : `${operationId}-${again}`;
        const options = { id: jobId, attempts: MOST_TRIES, delay: driver.delayMs(operation) };
        const data = { tenantId, vmId, operationId, ...(requestId !== undefined && { requestId }) };
        await jobs.add(OPERATE_VM, data, options).catch((error: unknown) => {
            logger.warn({ module: 'vms', tenantId, vmId, err: error }, 'A job of a VM could not be added');
        });
    }

    /** Does the job of an operation. @throws When the driver has failed and is to be asked again */
    async operate({ tenantId, vmId = '', operationId = '' }: JobData): Promise<void> {
        const vm = await this.#parts.vms.records.find({ tenantId }, vmId);
        if (!vm) return this.#leaveNothing({ tenantId, vmId });
        if (vm.operationId === operationId) await this.run(tenantId, vm);
    }

    /** Does the pending operation of a VM. @throws When the driver has failed and is to be asked again */
    async run(tenantId: string, vm: Vm): Promise<void> {
        const { operation, operationId } = vm;
        if (operation === null || operationId === null) return;
        try {
            if (operation === 'remove') await this.#remove(tenantId, vm, operationId);
            else await this.#change(tenantId, vm, operation, operationId);
        } catch (error) {
            if (!(error instanceof DriverFailure)) throw error;
            await this.#fail(tenantId, vm, operation, error);
        }
    }

    async #remove(tenantId: string, vm: Vm, operationId: string): Promise<void> {
        const { operations, projects, driver } = this.#parts;
        await ask(() => driver.remove({ tenantId, vmId: vm.id }));
        const audit = auditOf('operate', vm, 'success', { operation: 'remove' });
        await operations.remove(tenantId, vm, { operationId, audit });
        await projects.finish(tenantId, vm.projectId);
    }

    async #change(
        tenantId: string,
        vm: Vm,
        operation: Exclude<VmOperation, 'remove'>,
        operationId: string,
    ): Promise<void> {
        const { operations, driver } = this.#parts;
        const statuses = STATUSES[operation];
        const { state, ipAddress } = await ask(() => work(driver, tenantId, vm, operation));
        if (state !== statuses.at(-1)) throw new DriverFailure(`The VM is ${state} after ${operation}`);
        const audit = auditOf('operate', vm, 'success', { operation });
        if (await operations.end(tenantId, vm.id, { operationId, statuses, ipAddress, audit })) return;
        await this.#leaveNothing({ tenantId, vmId: vm.id });
    }

    /** What a removal that came in between could not know of. */
    async #leaveNothing(place: VmPlace): Promise<void> {
        const vm = await this.#parts.vms.records.find({ tenantId: place.tenantId }, place.vmId);
        if (!vm || vm.operation === 'remove') await this.#parts.driver.remove(place);
    }

    async #fail(tenantId: string, vm: Vm, operation: VmOperation, failure: DriverFailure): Promise<void> {
        const { operations, logger } = this.#parts;
        const outcome = await operations.fail(tenantId, vm.id, {
            operationId: vm.operationId ?? '',
            most: MOST_TRIES,
            reason: `The VM could not be ${PAST[operation]}.`,
            audit: auditOf('operate', vm, 'INTERNAL_ERROR', { operation }),
        });
        if (outcome === 'again') throw failure;
        if (outcome === 'superseded') return this.#leaveNothing({ tenantId, vmId: vm.id });
        logger.error({ module: 'vms', tenantId, vmId: vm.id, operation, err: failure }, 'An operation was given up');
    }
}

/** The driver could not do what it was asked for; the cause is for the log. */
class DriverFailure extends Error {}

async function ask<T>(work: () => Promise<T>): Promise<T> {
    try {
        return await work();
    } catch (error) {
        throw new DriverFailure('The driver has failed', { cause: error });
    }
}

function work(
    driver: VmDriver,
    tenantId: string,
    { id: vmId, name, instanceType, image }: Vm,
    operation: Exclude<VmOperation, 'remove'>,
): Promise<DriverVm> {
    if (operation !== 'create') return driver[operation]({ tenantId, vmId });
    const { vcpus, memoryGb, diskGb } = instanceTypeOf(instanceType);
    return driver.create({ tenantId, vmId, name, instanceType, vcpus, memoryGb, diskGb, image });
}
