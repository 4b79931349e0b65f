import { instanceTypes } from './instance-types.ts';
import { newId } from '../../src/ids.ts';

/** How long a VM goes on running without credit, from the first minute that could not be paid. */
const GRACE_MS = 600_000;

/** What a script charges running VMs by; see `metering.lua`. */
export interface Meter {
    /** What an hour costs, by instance type, in micro-dollars. */
    prices: Record<string, string>;
    /** Ids for entries of the ledger. */
    entries: string[];
    graceMs: number;
}

const prices = Object.fromEntries(Object.entries(instanceTypes).map(([name, { hourly }]) => [name, String(hourly)]));

/** @param charges How many entries it may come to */
export const newMeter = (charges: number): Meter => ({
    prices,
    entries: Array.from({ length: charges }, () => newId('bill')),
    graceMs: GRACE_MS,
});
