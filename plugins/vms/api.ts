import type { VmDriver, VmOperation } from './drivers/driver.ts';
import type { JobData } from '../../src/jobs/jobs.ts';
import type { RecordBase } from '../../src/redis/codec.ts';

/** One that is `terminated` is there no more: its events tell of it. */
export type VmStatus = 'creating' | 'running' | 'stopped' | 'error';

/** A virtual machine as it is stored. */
export interface Vm extends RecordBase {
    userId: string;
    projectId: string;
    name: string;
    instanceType: string;
    image: string;
    status: VmStatus;
    driver: string;
    ipAddress: string | null;
    /** The operation that was asked for and has not ended; only its end changes the status. */
    operation: VmOperation | null;
    operationId: string | null;
    operationAt: string | null;
    /** How often the driver has failed at it, and when it was tried or asked for last. */
    operationTries: number | null;
    operationTriedAt: string | null;
    /** Since when it runs without a pause; null while it does not. */
    startedAt: string | null;
    /** Up to when its running is charged, in milliseconds since the epoch. */
    paidUntil: number | null;
    /** What it has cost so far, in micro-dollars: a whole number. */
    costMicros: string;
    /** Since when there is no credit to go on. */
    creditsOutAt: string | null;
    errorReason: string | null;
}

/** The port of the VMs feature. */
export interface VmFeature {
    /** Does what a pending operation asks of the driver, as a job says. @throws When the driver may do it another time */
    operate(data: JobData): Promise<void>;
    /** Compares the VMs of all tenants that have any with their driver, and mends what differs. */
    reconcile(): Promise<void>;
    /** Has VMs run elsewhere from now on. */
    runOn(driver: VmDriver): void;
}

declare module '@hapi/hapi' {
    interface PluginProperties {
        vms: VmFeature;
    }
}
