import type { DriverMetrics, DriverVm, VmDriver, VmOperation, VmPlace, VmSpec } from './driver.ts';

/** A driver that another one can take the place of while all who use it go on. */
export class ReplaceableDriver implements VmDriver {
    #driver: VmDriver;

    constructor(driver: VmDriver) {
        this.#driver = driver;
    }

    replace(driver: VmDriver): void {
        this.#driver = driver;
    }

    get name(): string {
        return this.#driver.name;
    }

    delayMs(operation: VmOperation): number {
        return this.#driver.delayMs(operation);
    }

    create(spec: VmSpec): Promise<DriverVm> {
        return this.#driver.create(spec);
    }

    start(place: VmPlace): Promise<DriverVm> {
        return this.#driver.start(place);
    }

    stop(place: VmPlace): Promise<DriverVm> {
        return this.#driver.stop(place);
    }

    restart(place: VmPlace): Promise<DriverVm> {
        return this.#driver.restart(place);
    }

    remove(place: VmPlace): Promise<void> {
        return this.#driver.remove(place);
    }

    inspect(place: VmPlace): Promise<DriverVm | null> {
        return this.#driver.inspect(place);
    }

    metrics(place: VmPlace): Promise<DriverMetrics | null> {
        return this.#driver.metrics(place);
    }
}
