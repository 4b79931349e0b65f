import type { Micros } from '../../src/money.ts';

/** What a VM of a type has, and what an hour of its running costs. */
export interface InstanceType {
    vcpus: number;
    memoryGb: number;
    diskGb: number;
    hourly: Micros;
}

export type InstanceTypeName = 'small' | 'medium' | 'large' | 'xlarge';

export const instanceTypes: Record<InstanceTypeName, InstanceType> = {
    small: { vcpus: 1, memoryGb: 1, diskGb: 20, hourly: 50_000n },
    medium: { vcpus: 2, memoryGb: 4, diskGb: 40, hourly: 100_000n },
    large: { vcpus: 4, memoryGb: 8, diskGb: 80, hourly: 200_000n },
    xlarge: { vcpus: 8, memoryGb: 16, diskGb: 160, hourly: 400_000n },
};

export const instanceTypeNames = Object.keys(instanceTypes);

/** What making a VM costs. */
export const CREATION_COST: Micros = 50_000n;
/** What has to be there to make one, unless an hour of it costs more. */
const LEAST_TO_CREATE: Micros = 100_000n;

const isName = (name: string): name is InstanceTypeName => Object.hasOwn(instanceTypes, name);

/** @throws {RangeError} When there is no such type */
export function instanceTypeOf(name: string): InstanceType {
    if (!isName(name)) throw new RangeError(`There is no instance type ${name}`);
    return instanceTypes[name];
}

/** The credit that has to be there to make one of those. */
export const neededToCreate = ({ hourly }: InstanceType): Micros =>
    hourly > LEAST_TO_CREATE ? hourly : LEAST_TO_CREATE;
