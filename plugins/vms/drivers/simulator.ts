import { simulatedFigures } from './simulated-figures.ts';
import { SimulatorStore } from './simulator-store.ts';
import { parsePrivateRange, type PrivateRange } from '../../../src/private-range.ts';

import type { DriverMetrics, DriverVm, VmDriver, VmOperation, VmPlace, VmSpec } from './driver.ts';
import type { Config } from '../../../src/config.ts';
import type { Datastore } from '../../../src/redis/datastore.ts';

type Settings = Pick<Config, 'VM_ADDRESS_RANGE' | 'VM_SIMULATOR_DELAY_MS'>;

/** Runs nothing: its VMs are entries in Redis with an address and a state, and their figures are made up and say so. */
export class Simulator implements VmDriver {
    readonly name = 'simulator';
    readonly #store: SimulatorStore;
    readonly #range: PrivateRange;
    readonly #delayMs: number;

    constructor(store: Datastore, { VM_ADDRESS_RANGE, VM_SIMULATOR_DELAY_MS }: Settings) {
        this.#store = new SimulatorStore(store);
        this.#range = parsePrivateRange(VM_ADDRESS_RANGE);
        this.#delayMs = VM_SIMULATOR_DELAY_MS;
    }

    delayMs(operation: VmOperation): number {
        return operation === 'remove' ? 0 : this.#delayMs;
    }

    /** @throws {Error} When every address of the range is taken */
    async create(spec: VmSpec): Promise<DriverVm> {
        const vm = await this.#store.create(spec, this.#range);
        if (vm) return vm;
        const { cidr } = this.#range;
        throw new Error(`No address of ${cidr} is left: remove VMs, or set VM_ADDRESS_RANGE to a larger range`);
    }

    start(place: VmPlace): Promise<DriverVm> {
        return this.#set(place, 'running');
    }

    stop(place: VmPlace): Promise<DriverVm> {
        return this.#set(place, 'stopped');
    }

    /** Nothing runs in it that would have to stop first. */
    restart(place: VmPlace): Promise<DriverVm> {
        return this.#set(place, 'running');
    }

    remove(place: VmPlace): Promise<void> {
        return this.#store.remove(place);
    }

    async inspect(place: VmPlace): Promise<DriverVm | null> {
        const { vm } = await this.#store.read(place);
        return vm;
    }

    async metrics(place: VmPlace): Promise<DriverMetrics | null> {
        const { vm, at } = await this.#store.read(place);
        if (vm?.state !== 'running') return null;
        return { at, ...simulatedFigures(place.vmId, at), isSimulated: true, unavailable: {} };
    }

    async #set(place: VmPlace, state: DriverVm['state']): Promise<DriverVm> {
        const vm = await this.#store.setState(place, state);
        if (!vm) throw new Error(`The simulator has no VM ${place.vmId}`);
        return vm;
    }
}
