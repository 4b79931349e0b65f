import { instanceTypeOf } from './instance-types.ts';
import { decimal, jsonAmount } from '../../src/money.ts';

import type { Vm } from './api.ts';
import type { VmOperation } from './drivers/driver.ts';

const SIMULATOR = 'simulator';

/** A VM as its user sees it. */
export interface PublicVm {
    id: string;
    name: string;
    projectId: string;
    userId: string;
    instanceType: string;
    image: string;
    specs: { vcpus: number; memoryGb: number; diskGb: number };
    status: string;
    pending: { operation: VmOperation; id: string; since: string } | null;
    driver: string;
    isSimulated: boolean;
    ipAddress: string | null;
    hourlyMicros: number;
    hourly: string;
    costMicros: number;
    cost: string;
    startedAt: string | null;
    uptimeSeconds: number;
    errorReason: string | null;
    revision: number;
    createdAt: string;
    updatedAt: string;
}

/** @param now Milliseconds since the epoch */
export function publicVm(vm: Vm, now: number): PublicVm {
    const { hourly, ...specs } = instanceTypeOf(vm.instanceType);
    const cost = BigInt(vm.costMicros);
    const { id, name, projectId, userId, instanceType, image, status, driver, ipAddress, startedAt, errorReason } = vm;
    const upMs = startedAt === null ? 0 : now - Date.parse(startedAt);
    return {
        id,
        name,
        projectId,
        userId,
        instanceType,
        image,
        specs,
        status,
        pending: pendingOf(vm),
        driver,
        isSimulated: driver === SIMULATOR,
        ipAddress,
        hourlyMicros: jsonAmount(hourly),
        hourly: decimal(hourly),
        costMicros: jsonAmount(cost),
        cost: decimal(cost),
        startedAt,
        uptimeSeconds: Math.max(0, Math.floor(upMs / 1000)),
        errorReason,
        revision: vm.revision,
        createdAt: vm.createdAt,
        updatedAt: vm.updatedAt,
    };
}

const pendingOf = ({ operation, operationId: id, operationAt: since }: Vm): PublicVm['pending'] =>
    operation === null || id === null || since === null ? null : { operation, id, since };
