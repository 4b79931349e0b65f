import { Simulator } from './drivers/simulator.ts';
import { OperationStore } from './operation-store.ts';
import { Operations, type DriverSlot } from './operations.ts';
import { createProjectContents } from './project-contents.ts';
import { Reconciler } from './reconciler.ts';
import { createVm } from './routes/create-vm.ts';
import { deleteVm } from './routes/delete-vm.ts';
import { getPricing } from './routes/get-pricing.ts';
import { getVm } from './routes/get-vm.ts';
import { listVms } from './routes/list-vms.ts';
import { renameVm } from './routes/rename-vm.ts';
import { restartVm } from './routes/restart-vm.ts';
import { startVm } from './routes/start-vm.ts';
import { stopVm } from './routes/stop-vm.ts';
import { createVmService } from './service.ts';
import { VmStore } from './store.ts';
import { createTenantStore } from './tenant-store.ts';

import type { Plugin } from '@hapi/hapi';
import type { VmFeature } from './api.ts';
import type { Platform } from '../../src/platform.ts';

export const vms: Plugin<Platform> = {
    name: 'vms',
    dependencies: ['auth', 'billing', 'idempotency', 'projects', 'tenants'],
    register: (server, { store, vault, clock, jobs, logger, config }) => {
        const { billing, projects, tenants } = server.plugins;
        const vmStore = new VmStore(store, vault, {
            project: (tenantId, projectId) => projects.key(tenantId, projectId),
            tenant: (tenantId) => tenants.key(tenantId),
            credits: (tenantId) => billing.key(tenantId),
        });
        const slot: DriverSlot = { driver: new Simulator(store, config) };
        const shared = { vms: vmStore, operations: new OperationStore(store, vmStore), slot, jobs, logger };
        const tenantStore = createTenantStore(store);
        const operations = new Operations({ ...shared, projects });
        const reconciler = new Reconciler({ ...shared, projects, tenants: tenantStore, todo: operations, clock });
        projects.contain(createProjectContents(vmStore, operations));
        const feature: VmFeature = {
            operate: (data) => operations.operate(data),
            reconcile: () => reconciler.round(),
            runOn: (driver) => {
                slot.driver = driver;
            },
        };
        server.expose(feature);

        const service = createVmService({
            store: vmStore,
            tenants: tenantStore,
            operations,
            projects,
            billing,
            slot,
            clock,
        });
        server.route(getPricing(config.VM_IMAGES));
        server.route(createVm(service, config.VM_IMAGES));
        server.route(listVms(service));
        server.route(getVm(service));
        server.route(renameVm(service));
        server.route(deleteVm(service));
        server.route(startVm(service));
        server.route(stopVm(service));
        server.route(restartVm(service));
    },
};
