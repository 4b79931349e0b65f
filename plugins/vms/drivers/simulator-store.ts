import { addressIn, type PrivateRange } from '../../../src/private-range.ts';
import { PLATFORM, tenantKey } from '../../../src/redis/keys.ts';

import type { DriverVm, VmPlace, VmSpec } from './driver.ts';
import type { Datastore, RunScript } from '../../../src/redis/datastore.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

/** Of the platform and not of the tenants: all VMs share the addresses. The id of a VM is its own everywhere. */
const vmKey = ({ vmId }: VmPlace): string => tenantKey(PLATFORM, 'simulator', 'vm', vmId);

/** What the keys of the bitmaps begin with; a whole block has one, so that ranges that overlap share their addresses. */
const ADDRESSES = `${tenantKey(PLATFORM, 'simulator', 'addresses')}:`;

/** The world of the simulator: which VMs there are, and which addresses they have. */
export class SimulatorStore {
    readonly #create: RunScript;
    readonly #setState: RunScript;
    readonly #remove: RunScript;
    readonly #read: RunScript;

    constructor(store: Datastore) {
        this.#create = store.script(lua('create-vm'));
        this.#setState = store.script(lua('set-vm-state'));
        this.#remove = store.script(lua('remove-vm'));
        this.#read = store.script(lua('read-vm'));
    }

    /** @returns The VM as it is now, new or not; null when no address of the range is left for a new one */
    async create(spec: VmSpec, { block, first, last }: PrivateRange): Promise<DriverVm | null> {
        const { tenantId, name, instanceType, image } = spec;
        const fields = Object.entries({ tenantId, name, instanceType, image }).flat();
        return toVm(await this.#create([vmKey(spec), ADDRESSES + block], [first, last, block, ...fields]));
    }

    /** @returns The VM as it is now; null when there is none */
    async setState(place: VmPlace, state: DriverVm['state']): Promise<DriverVm | null> {
        return toVm(await this.#setState([vmKey(place)], [state]));
    }

    async remove(place: VmPlace): Promise<void> {
        await this.#remove([vmKey(place), ADDRESSES], []);
    }

    /** The VM, null when there is none, and the time by Redis' clock. */
    async read(place: VmPlace): Promise<{ vm: DriverVm | null; at: number }> {
        const [at, ...vm] = (await this.#read([vmKey(place)], [])) as [number, ...string[]];
        return { vm: toVm(vm), at };
    }
}

function toVm(reply: unknown): DriverVm | null {
    const [state, block = '', address] = reply as [DriverVm['state']?, string?, string?];
    return state === undefined ? null : { state, ipAddress: addressIn(block, Number(address)) };
}
