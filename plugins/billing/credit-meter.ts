import { ENTRY_TYPES, type EntryType } from './entry.ts';
import { jsonAmount } from '../../src/money.ts';

import type { Micros } from '../../src/money.ts';
import type { Metrics } from '../../src/telemetry/metrics.ts';

/** Told of credits that have moved, for what and how many, whichever way. */
export type CreditMeter = (type: EntryType, amount: Micros) => void;

/** Their types do not move in this process' sight: scripts of other features charge them by the minute or the byte. */
const UNSEEN = new Set<EntryType>(['vm_create', 'vm_running', 'vm_delete', 'tunnel_usage']);

/**
 * Counts what this process has moved, in micro-dollars: charges of models, refunds and what the platform gives or
 * takes.
 */
export function creditMeter(metrics: Metrics): CreditMeter {
    const help = 'Micro-dollars that were charged, given or taken, by the type of the entry; not of VMs and tunnels';
    const moved = metrics.counter('credits_moved_micros_total', help, ['type']);
    for (const type of ENTRY_TYPES) if (!UNSEEN.has(type)) moved(type).inc(0);
    return (type, amount) => moved(type).inc(jsonAmount(amount < 0n ? -amount : amount));
}
