import { ofEachFigure, type Figure } from './figures.ts';
import { bucketsOf, trendsOf, type Bucket, type Trend } from './metric-history.ts';
import { isoTime } from '../../src/redis/codec.ts';

import type { DriverMetrics, VmDriver, VmPlace } from './drivers/driver.ts';
import type { MetricsStore } from './metrics-store.ts';
import type { Clock } from '../../src/clock.ts';
import type { Actor } from '../../src/types/actor.ts';

/** Where the VMs of a user are found. */
export interface VmReader {
    /** @throws {ApiError} VM_NOT_FOUND, also for what is not the actor's */
    get(actor: Actor, vmId: string): Promise<{ id: string; tenantId: string; status: string; driver: string }>;
}

/** Which time a history is of, and how long each of its intervals is. */
export interface HistoryRange {
    /** 1 to 168, up to now. */
    hours: number;
    /** 5 to 3,600. */
    intervalSeconds: number;
}

/** How busy a VM is; `unavailable` says why a figure is null. */
export interface CurrentMetrics extends Record<Figure, number | null> {
    vmId: string;
    status: string;
    at: string;
    isSimulated: boolean;
    unavailable: Record<string, string>;
}

/** How busy a VM was. */
export interface MetricsHistory {
    from: string;
    to: string;
    intervalSeconds: number;
    /** How many samples there are. */
    points: number;
    isSimulated: boolean;
    buckets: Bucket[];
    trends: Record<Figure, Trend | null>;
}

export interface MetricsOptions {
    store: MetricsStore;
    driver: VmDriver;
    vms: VmReader;
    clock: Clock;
}

const HOUR_MS = 3_600_000;

/** Its figures are made up, also where there are none yet. */
const isSimulator = (driver: string): boolean => driver === 'simulator';

/** How busy VMs are, and were. */
export class MetricsService {
    readonly #store: MetricsStore;
    readonly #driver: VmDriver;
    readonly #vms: VmReader;
    readonly #clock: Clock;

    constructor({ store, driver, vms, clock }: MetricsOptions) {
        this.#store = store;
        this.#driver = driver;
        this.#vms = vms;
        this.#clock = clock;
    }

    /** Keeps what the driver says of a VM. @returns False when it does not run: then nothing was kept */
    async sample(place: VmPlace): Promise<boolean> {
        const metrics = await this.#driver.metrics(place);
        return metrics !== null && this.record(place, metrics);
    }

    /** Keeps a sample under the time of now. @returns False when the VM does not run: then it was not kept */
    record(place: VmPlace, metrics: DriverMetrics): Promise<boolean> {
        return this.#store.append(place, metrics);
    }

    /** The newest sample; null when there is none. */
    latest(place: VmPlace): Promise<DriverMetrics | null> {
        return this.#store.latest(place);
    }

    async history(place: VmPlace, { hours, intervalSeconds }: HistoryRange): Promise<MetricsHistory> {
        const { to, samples } = await this.#store.read(place, hours);
        const isSimulated = samples.some((sample) => sample.isSimulated);
        return {
            from: isoTime(to - hours * HOUR_MS),
            to: isoTime(to),
            intervalSeconds,
            points: samples.length,
            isSimulated: isSimulated || (samples.length === 0 && isSimulator(this.#driver.name)),
            buckets: bucketsOf(samples, intervalSeconds * 1000),
            trends: trendsOf(samples),
        };
    }

    /** @throws {ApiError} VM_NOT_FOUND */
    async historyOf(actor: Actor, vmId: string, range: HistoryRange): Promise<MetricsHistory & { vmId: string }> {
        const { id, tenantId } = await this.#vms.get(actor, vmId);
        return { vmId: id, ...(await this.history({ tenantId, vmId: id }, range)) };
    }

    /** What the driver says just now. @throws {ApiError} VM_NOT_FOUND */
    async current(actor: Actor, vmId: string): Promise<CurrentMetrics> {
        const { id, tenantId, status, driver } = await this.#vms.get(actor, vmId);
        const metrics = status === 'running' ? await this.#driver.metrics({ tenantId, vmId: id }) : null;
        if (metrics) return { vmId: id, status, ...metrics, at: isoTime(metrics.at) };
        const why = status === 'running' ? 'The driver has no running VM.' : `The VM is ${status} and does not run.`;
        return {
            vmId: id,
            status,
            at: isoTime(this.#clock()),
            ...ofEachFigure(() => null),
            isSimulated: isSimulator(driver),
            unavailable: ofEachFigure(() => why),
        };
    }
}
