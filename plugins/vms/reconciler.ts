import pLimit from 'p-limit';

import { auditOf } from './operation-outbox.ts';

import type { Vm, VmStatus } from './api.ts';
import type { DriverVm, VmPlace } from './drivers/driver.ts';
import type { Metering } from './metering.ts';
import type { MetricsService } from './metrics-service.ts';
import type { OperationParts, Operations } from './operations.ts';
import type { TenantStore } from './tenant-store.ts';
import type { Clock } from '../../src/clock.ts';
import type { ProjectService } from '../projects/api.ts';

export const RECONCILE_VMS = 'reconcile-vms';
export const RECONCILE_EVERY_MS = 60_000;

/**
 * When a pending operation counts as lost, besides the time that the driver takes; longer than a job waits between
 * tries.
 */
const PATIENCE_MS = 75_000;
/** For how long it is seen to that a VM which was removed stays away. */
const WATCH_REMOVED_MS = 3_600_000;
const AT_ONCE = 8;

export interface ReconcilerParts extends Omit<OperationParts, 'projects'> {
    projects: Pick<ProjectService, 'deleting' | 'resume'>;
    tenants: TenantStore;
    metrics: Pick<MetricsService, 'sample'>;
    metering: Metering;
    todo: Operations;
    clock: Clock;
}

/** Compares VMs with their driver, and mends what a crash or a fault of the driver has left different. */
export class Reconciler {
    readonly #parts: ReconcilerParts;

    constructor(parts: ReconcilerParts) {
        this.#parts = parts;
    }

    /**
     * Looks at all tenants that are due, each looked at by one process, until the next round begins. What fails is seen
     * to then, and stands in the way of nothing else.
     */
    async round(): Promise<void> {
        const { tenants, clock } = this.#parts;
        const end = clock() + RECONCILE_EVERY_MS;
        for await (const found of tenants.batches()) {
            await eachOf(found, (tenantId) => this.#attempt({ tenantId }, () => this.#lookAt(tenantId)));
            if (clock() >= end) return;
        }
    }

    async #lookAt(tenantId: string): Promise<void> {
        const { vms, projects, operations, tenants, metering, clock } = this.#parts;
        await metering.meter(tenantId);
        const deleting = await projects.deleting(tenantId);
        for (const projectId of deleting) await projects.resume(tenantId, projectId);
        let count = deleting.length;
        for await (const page of vms.ofTenant(tenantId)) {
            count += page.length;
            await eachOf(page, (vm) => this.#attempt({ tenantId, vmId: vm.id }, () => this.#check(tenantId, vm)));
        }
        const removed = await operations.removedSince(tenantId, clock() - WATCH_REMOVED_MS);
        await eachOf(removed, (vmId) => this.#attempt({ tenantId, vmId }, () => this.#checkRemoved(tenantId, vmId)));
        if (count + removed.length === 0) await tenants.forget(tenantId);
    }

    async #attempt(what: { tenantId: string; vmId?: string }, look: () => Promise<void>): Promise<void> {
        try {
            await look();
        } catch (error) {
            const { logger } = this.#parts;
            logger.warn({ module: 'vms', ...what, err: error }, 'VMs could not be compared with their driver');
        }
    }

    async #check(tenantId: string, vm: Vm): Promise<void> {
        const { operations, driver, todo } = this.#parts;
        if (vm.operation !== null && vm.operationId !== null) {
            const patience = PATIENCE_MS + driver.delayMs(vm.operation);
            const at = await operations.take(tenantId, vm.id, vm.operationId, patience);
            if (at > 0) await todo.schedule(tenantId, vm, { again: at });
            return;
        }
        // Another driver knows nothing of it.
        if (vm.driver !== driver.name) return;
        const found = await driver.inspect({ tenantId, vmId: vm.id });
        if (vm.status === 'running') await this.#mendRunning(tenantId, vm, found);
        else if (found?.state === 'running') await this.#stop(tenantId, vm);
    }

    async #mendRunning(tenantId: string, vm: Vm, found: DriverVm | null): Promise<void> {
        if (found?.state === 'running') return this.#sample({ tenantId, vmId: vm.id });
        const to: VmStatus = found ? 'stopped' : 'error';
        const reason = found ? {} : { reason: 'The VM is gone from where it ran.' };
        const audit = auditOf('mend', vm, 'success', { to });
        if (!(await this.#parts.operations.mend(tenantId, vm, { to, ...reason, audit }))) return;
        this.#parts.logger.warn({ module: 'vms', tenantId, vmId: vm.id, to }, 'A VM did not run any more');
    }

    /** Each look at a VM that runs measures it too. */
    async #sample(place: VmPlace): Promise<void> {
        await this.#parts.metrics.sample(place);
    }

    /** Runs at its driver and is not paid for. As an operation, so that a start at the same time comes before or after. */
    async #stop(tenantId: string, vm: Vm): Promise<void> {
        const { todo, logger } = this.#parts;
        const audit = auditOf('mend', vm, 'success', { to: 'stopped' });
        await todo.begin({ tenantId }, vm.id, {
            operation: 'stop',
            isForced: true,
            revision: vm.revision,
            outbox: { audit },
        });
        logger.warn({ module: 'vms', tenantId, vmId: vm.id }, 'A VM ran that should not; it is stopped');
    }

    async #checkRemoved(tenantId: string, vmId: string): Promise<void> {
        const { driver } = this.#parts;
        if ((await driver.inspect({ tenantId, vmId })) === null) return;
        await driver.remove({ tenantId, vmId });
        this.#parts.logger.warn({ module: 'vms', tenantId, vmId }, 'A VM that was removed was there still');
    }
}

/** Some at a time. */
async function eachOf<T>(items: T[], look: (item: T) => Promise<void>): Promise<void> {
    const limit = pLimit(AT_ONCE);
    await Promise.all(items.map((item) => limit(() => look(item))));
}
