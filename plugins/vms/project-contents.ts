import { instanceTypeOf } from './instance-types.ts';
import { publicVm } from './public-vm.ts';
import { decimal, jsonAmount } from '../../src/money.ts';

import type { Vm } from './api.ts';
import type { Operations } from './operations.ts';
import type { VmStore } from './store.ts';
import type { ProjectContents, ProjectView, ProjectVm } from '../projects/api.ts';

/** Of a project that is shown. */
const MOST_SHOWN = 100;

/** VMs as what is in projects. */
export const createProjectContents = (vms: VmStore, operations: Operations): ProjectContents => ({
    keys: (tenantId, projectId) => [vms.contentsKey(tenantId, projectId)],

    async view(tenantId, projectId) {
        const shown: ProjectVm[] = [];
        const counts = { running: 0, stopped: 0, error: 0, creating: 0 };
        let total = 0n;
        let hourly = 0n;
        for await (const page of vms.ofProject(tenantId, projectId)) {
            for (const vm of page) {
                counts[vm.status] += 1;
                total += BigInt(vm.costMicros);
                if (vm.status === 'running') hourly += instanceTypeOf(vm.instanceType).hourly;
                if (shown.length < MOST_SHOWN) shown.push(inProject(vm));
            }
        }
        const { running, stopped, error, creating } = counts;
        const statistics: ProjectView['statistics'] = {
            vmCount: running + stopped + error + creating,
            ...counts,
            totalCostMicros: jsonAmount(total),
            totalCost: decimal(total),
            hourlyCostMicros: jsonAmount(hourly),
            hourlyCost: decimal(hourly),
        };
        return { vms: shown, statistics };
    },

    async remove(tenantId, projectId) {
        for await (const page of vms.ofProject(tenantId, projectId)) {
            for (const vm of page.filter(({ operation }) => operation !== 'remove')) {
                await operations.begin({ tenantId }, vm.id, { operation: 'remove', outbox: {} });
            }
        }
    },

    async purge(tenantId, projectId) {
        for await (const page of vms.ofProject(tenantId, projectId)) {
            for (const { id } of page) {
                await operations.removeNow(tenantId, id);
            }
        }
    },
});

function inProject(vm: Vm): ProjectVm {
    const { id, name, instanceType, image, status, isSimulated, ipAddress, createdAt, ...rest } = publicVm(vm, 0);
    const { hourlyMicros, hourly, costMicros, cost } = rest;
    return {
        id,
        name,
        instanceType,
        image,
        status,
        isSimulated,
        ipAddress,
        hourlyMicros,
        hourly,
        costMicros,
        cost,
        createdAt,
    };
}
