import { ReplaceableDriver } from './drivers/replaceable-driver.ts';
import { Simulator } from './drivers/simulator.ts';
import { MeteringStore } from './metering-store.ts';
import { Metering } from './metering.ts';
import { MetricsService } from './metrics-service.ts';
import { MetricsStore } from './metrics-store.ts';
import { OperationStore } from './operation-store.ts';
import { Operations } from './operations.ts';
import { vmPrices } from './pricing.ts';
import { createProjectContents } from './project-contents.ts';
import { Reconciler } from './reconciler.ts';
import { createVm } from './routes/create-vm.ts';
import { deleteVm } from './routes/delete-vm.ts';
import { getPricing } from './routes/get-pricing.ts';
import { getVmMetricsHistory } from './routes/get-vm-metrics-history.ts';
import { getVmMetrics } from './routes/get-vm-metrics.ts';
import { getVm } from './routes/get-vm.ts';
import { listVms } from './routes/list-vms.ts';
import { renameVm } from './routes/rename-vm.ts';
import { restartVm } from './routes/restart-vm.ts';
import { startVm } from './routes/start-vm.ts';
import { stopVm } from './routes/stop-vm.ts';
import { createVmService, type VmService } from './service.ts';
import { VmStore } from './store.ts';
import { createTenantStore } from './tenant-store.ts';

import type { Plugin, Server } from '@hapi/hapi';
import type { VmFeature } from './api.ts';
import type { Platform } from '../../src/platform.ts';

export const vms: Plugin<Platform> = {
    name: 'vms',
    dependencies: ['auth', 'billing', 'idempotency', 'projects', 'tenants', 'users'],
    register: (server, { store, vault, clock, jobs, logger, config }) => {
        const { billing, projects, tenants, users } = server.plugins;
        const foreign = {
            project: (tenantId: string, projectId: string) => projects.key(tenantId, projectId),
            tenant: (tenantId: string) => tenants.key(tenantId),
            user: (tenantId: string, userId: string) => users.key(tenantId, userId),
            credits: (tenantId: string) => billing.key(tenantId),
        };
        const vmStore = new VmStore(store, vault, foreign);
        const driver = new ReplaceableDriver(new Simulator(store, config));
        const metricsStore = new MetricsStore(store);
        const operationStore = new OperationStore(store, vmStore, {
            ...foreign,
            metrics: (place) => metricsStore.key(place),
        });
        const shared = { vms: vmStore, operations: operationStore, driver, jobs, logger };
        const tenantStore = createTenantStore(store);
        const operations = new Operations({ ...shared, projects });
        const service = createVmService({
            store: vmStore,
            tenants: tenantStore,
            operations,
            projects,
            billing,
            driver,
            tiers: tenants.tiers,
            clock,
        });
        const metrics = new MetricsService({
            store: metricsStore,
            driver,
            vms: { get: (actor, id) => service.find(actor, id) },
            clock,
        });
        const reconciler = new Reconciler({
            ...shared,
            projects,
            tenants: tenantStore,
            todo: operations,
            metrics,
            metering: new Metering({ store: new MeteringStore(store, vmStore, foreign), operations, logger }),
            clock,
        });
        billing.addPrices(vmPrices());
        tenants.onPurge((tenantId) => operations.removeAll(tenantId));
        projects.contain(createProjectContents(vmStore, operations));
        const feature: VmFeature = {
            operate: (data) => operations.operate(data),
            reconcile: () => reconciler.round(),
            runOn: (another) => driver.replace(another),
        };
        server.expose(feature);

        serve(server, { service, metrics, images: config.VM_IMAGES });
    },
};

interface Served {
    service: VmService;
    metrics: MetricsService;
    images: string[];
}

function serve(server: Server, { service, metrics, images }: Served): void {
    server.route(getPricing(images));
    server.route(createVm(service, images));
    server.route(listVms(service));
    server.route(getVm(service));
    server.route(renameVm(service));
    server.route(deleteVm(service));
    server.route(startVm(service));
    server.route(stopVm(service));
    server.route(restartVm(service));
    server.route(getVmMetrics(metrics));
    server.route(getVmMetricsHistory(metrics));
}
