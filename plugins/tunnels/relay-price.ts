import { dollars, type Micros } from '../../src/money.ts';

import type { UnitPrice } from '../billing/api.ts';
import type { Plan } from '../tenants/api.ts';

const GB = 1_000_000_000n;
/** Of 10^9 bytes. */
const PER_GB: Micros = dollars(1) / 100n;

/** Free tenants have their quota, and pay nothing. */
export const PAYING: Plan[] = ['premium', 'enterprise'];
/** How many bytes come to a micro-dollar. */
export const BYTES_PER_MICRO = Number(GB / PER_GB);

/** For the price book. */
export const relayPrices = (): UnitPrice[] => [{ item: 'tunnel', unit: 'gigabyte', amount: PER_GB }];
