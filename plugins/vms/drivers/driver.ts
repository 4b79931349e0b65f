/** What a VM is to be. */
export interface VmSpec {
    tenantId: string;
    vmId: string;
    name: string;
    /** Small, medium, large or xlarge. */
    instanceType: string;
    vcpus: number;
    memoryGb: number;
    diskGb: number;
    image: string;
}

/** Which VM is meant. */
export type VmPlace = Pick<VmSpec, 'tenantId' | 'vmId'>;

/** How a VM is at its driver. */
export interface DriverVm {
    state: 'running' | 'stopped';
    ipAddress: string | null;
}

/** How busy a VM is. A figure that a driver cannot supply is null, and `unavailable` says why, by the figure's name. */
export interface DriverMetrics {
    /** Milliseconds since the epoch. */
    at: number;
    /** Per cent, as the two that follow: 0 to 100. */
    cpuPercent: number | null;
    memoryPercent: number | null;
    diskPercent: number | null;
    /** 0 or more, as the one that follows. */
    networkInBytesPerSecond: number | null;
    networkOutBytesPerSecond: number | null;
    /** The figures are made up and measure nothing. */
    isSimulated: boolean;
    unavailable: Record<string, string>;
}

export type VmOperation = 'create' | 'start' | 'stop' | 'restart' | 'remove';

/** Where VMs run. Every operation is idempotent: done again, or on what is as it should be already, it changes nothing. */
export interface VmDriver {
    /** What VMs name it by, as `simulator`. */
    readonly name: string;
    /** How long the operation takes before its work is looked for; the job is delayed by that. */
    delayMs(operation: VmOperation): number;
    /** Makes it and starts it. One that is there already stays as it is. */
    create(spec: VmSpec): Promise<DriverVm>;
    /** @throws When there is none; so do `stop` and `restart` */
    start(place: VmPlace): Promise<DriverVm>;
    stop(place: VmPlace): Promise<DriverVm>;
    restart(place: VmPlace): Promise<DriverVm>;
    /** Nothing of it is left; fine when there is none. */
    remove(place: VmPlace): Promise<void>;
    inspect(place: VmPlace): Promise<DriverVm | null>;
    /** @returns Null when there is no such VM or it does not run */
    metrics(place: VmPlace): Promise<DriverMetrics | null>;
}
