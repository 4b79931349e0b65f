import { shown, type Shown } from './amounts.ts';
import { ENTRY_TYPES, type EntryType } from './entry.ts';
import { jsonAmount } from '../../src/money.ts';
import { isoTime } from '../../src/redis/codec.ts';

import type { Usage } from '../models/api.ts';

/** An entry of the ledger as Redis gives it: id in the stream, and field, value, … */
export type StreamEntry = [id: string, flat: string[]];

/** What an entry is about, by the fields that it has. */
const ABOUT = [
    'userId',
    'keyId',
    'modelId',
    'threadId',
    'messageId',
    'vmId',
    'projectId',
    'tunnelId',
    'priceVersion',
    'reason',
] as const;

/** A movement of the ledger as the API shows it. */
export interface LedgerRecord extends Shown<'amount'>, Record<(typeof ABOUT)[number], string | null> {
    id: string;
    type: EntryType;
    /** After it. */
    balanceMicros: number;
    usage: Usage | null;
    /** Of a VM that was running. */
    minutes: number | null;
    isEstimated: boolean;
    /** What nobody could pay of it any more. */
    unpaidMicros: number;
    /** The entry that it gives back. */
    refundOf: string | null;
    description: string;
    createdAt: string;
}

const isType = (type: string | undefined): type is EntryType => (ENTRY_TYPES as readonly unknown[]).includes(type);

export function recordOf([streamId, flat]: StreamEntry): LedgerRecord {
    const fields = new Map(Array.from({ length: flat.length / 2 }, (_, n) => [flat[2 * n], flat[2 * n + 1]] as const));
    const text = (name: string): string | null => fields.get(name) ?? null;
    const whole = (name: string): bigint => BigInt(text(name) ?? '0');
    const [time = ''] = streamId.split('-');
    const type = fields.get('type');
    if (!isType(type)) throw new Error(`The ledger has an entry of an unknown type: ${type}`);
    const usage = text('usage');
    const about = Object.fromEntries(ABOUT.map((name) => [name, text(name)])) as Record<
        (typeof ABOUT)[number],
        string | null
    >;
    return {
        id: text('id') ?? '',
        type,
        ...shown('amount', whole('amount')),
        balanceMicros: jsonAmount(whole('balance')),
        ...about,
        usage: usage === null ? null : (JSON.parse(usage) as Usage),
        minutes: text('minutes') === null ? null : jsonAmount(whole('minutes')),
        isEstimated: text('isEstimated') === '1',
        unpaidMicros: jsonAmount(whole('unpaid')),
        refundOf: text('recordId'),
        description: describe(type, text),
        createdAt: isoTime(jsonAmount(BigInt(time))),
    };
}

const DESCRIPTIONS: Record<EntryType, (text: (name: string) => string | null) => string> = {
    vm_create: () => 'VM created',
    vm_running: (text) => `VM running for ${text('minutes') ?? 'some'} min`,
    vm_delete: () => 'VM deleted',
    model_usage: (text) => `Call of ${text('modelId') ?? 'a model'}`,
    tunnel_usage: (text) => `${text('bytes') ?? 'Some'} bytes through a tunnel`,
    credit_add: () => 'Credit added',
    credit_deduct: () => 'Credit taken',
    refund: (text) => `Refund of ${text('recordId') ?? 'a charge'}`,
    hold_settled: (text) => `Call of ${text('modelId') ?? 'a model'} whose server died`,
};

/** In a few words, to be read by people. */
const describe = (type: EntryType, text: (name: string) => string | null): string => DESCRIPTIONS[type](text);
