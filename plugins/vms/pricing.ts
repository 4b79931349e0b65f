import { CREATION_COST, instanceTypes } from './instance-types.ts';
import { decimal, jsonAmount } from '../../src/money.ts';

import type { UnitPrice } from '../billing/api.ts';

/** What VMs there are, and what they cost. */
export interface Pricing {
    currency: 'USD';
    instanceTypes: {
        name: string;
        specs: { vcpus: number; memoryGb: number; diskGb: number };
        hourlyMicros: number;
        hourly: string;
    }[];
    creationMicros: number;
    creation: string;
    images: string[];
}

export const pricingOf = (images: string[]): Pricing => ({
    currency: 'USD',
    instanceTypes: Object.entries(instanceTypes).map(([name, { hourly, ...specs }]) => ({
        name,
        specs,
        hourlyMicros: jsonAmount(hourly),
        hourly: decimal(hourly),
    })),
    creationMicros: jsonAmount(CREATION_COST),
    creation: decimal(CREATION_COST),
    images,
});

/** The same, for the price book. */
export const vmPrices = (): UnitPrice[] => [
    { item: 'vm', unit: 'creation', amount: CREATION_COST },
    ...Object.entries(instanceTypes).map(([name, { hourly }]) => ({
        item: `vm.${name}`,
        unit: 'hour',
        amount: hourly,
    })),
];
