import { parseArgs } from 'node:util';

import { messageOf } from './errors.ts';
import { UsageError } from './usage.ts';

import type { Thresholds } from './compare.ts';

export interface Options extends Thresholds {
    image: string | undefined;
    percent: number | undefined;
    namespace: string;
    context: string | undefined;
    isDry: boolean;
    /** Seconds. */
    timeout: number;
    /** Seconds. */
    window: number;
    sample: number;
    allowQuiet: boolean;
    version: string | undefined;
    commit: string | undefined;
}

export interface Order {
    /** As `blue-green deploy`; null: help is wanted. */
    step: string | null;
    options: Options;
}

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;

const OPTIONS = {
    help: flag,
    'dry-run': flag,
    'allow-quiet': flag,
    image: text,
    percent: text,
    namespace: { type: 'string', default: 'llm-api-layer' },
    context: text,
    timeout: { type: 'string', default: '300' },
    window: { type: 'string', default: '60' },
    sample: { type: 'string', default: '5' },
    'min-requests': { type: 'string', default: '50' },
    'max-errors': { type: 'string', default: '1' },
    'max-slowdown': { type: 'string', default: '50' },
    'expect-version': text,
    'expect-commit': text,
} as const;

/** The steps, with the options that they cannot do without; no other step has these. */
const STEPS: Record<string, ('image' | 'percent')[]> = {
    'blue-green begin': [],
    'blue-green deploy': ['image'],
    'blue-green test': [],
    'blue-green switch': [],
    'blue-green back': [],
    'blue-green finish': [],
    'blue-green status': [],
    'canary start': ['image', 'percent'],
    'canary promote': [],
    'canary abort': [],
    'canary status': [],
};

/** @throws UsageError */
export function readOrder(args: string[]): Order {
    const { positionals, values } = parsed(args);
    const options: Options = {
        image: values.image,
        percent: values.percent === undefined ? undefined : number('percent', values.percent, 1, 90),
        namespace: values.namespace,
        context: values.context,
        isDry: values['dry-run'] === true,
        timeout: number('timeout', values.timeout, 1, 3_600),
        window: number('window', values.window, 0.1, 3_600),
        sample: number('sample', values.sample, 1, 50),
        minRequests: number('min-requests', values['min-requests'], 1, 1_000_000),
        maxErrors: number('max-errors', values['max-errors'], 0, 100),
        maxSlowdown: number('max-slowdown', values['max-slowdown'], 0, 1_000),
        allowQuiet: values['allow-quiet'] === true,
        version: values['expect-version'],
        commit: values['expect-commit'],
    };
    if (values.help === true || args.length === 0) return { step: null, options };
    const step = positionals.join(' ');
    const needed = STEPS[step];
    if (!needed) throw new UsageError(`There is no ${step === '' ? 'step without a name' : step}.`);
    for (const name of ['image', 'percent'] as const) {
        if (needed.includes(name) === (values[name] !== undefined)) continue;
        throw new UsageError(needed.includes(name) ? `${step} needs --${name}.` : `${step} has no option --${name}.`);
    }
    return { step, options };
}

function parsed(args: string[]) {
    try {
        return parseArgs({ args, options: OPTIONS, allowPositionals: true });
    } catch (error) {
        throw new UsageError(messageOf(error));
    }
}

function number(name: string, written: string, least: number, most: number): number {
    const value = Number(written);
    if (/^\d+(?:\.\d+)?$/.test(written) && value >= least && value <= most) return value;
    throw new UsageError(`--${name} must be a number from ${least} to ${most}.`);
}
