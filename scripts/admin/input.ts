import { parseArgs } from 'node:util';

import Joi from 'joi';

import { UsageError } from './usage.ts';

/** What was written after the command. */
export interface Input {
    words: string[];
    options: Record<string, string | boolean | undefined>;
}

const OPTIONS = {
    json: { type: 'boolean' },
    help: { type: 'boolean' },
    yes: { type: 'boolean' },
    'password-stdin': { type: 'boolean' },
    name: { type: 'string' },
    domain: { type: 'string' },
    email: { type: 'string' },
    plan: { type: 'string' },
    'display-name': { type: 'string' },
    reason: { type: 'string' },
    limit: { type: 'string' },
    cursor: { type: 'string' },
    q: { type: 'string' },
} as const;

const EVERYWHERE = new Set(['json', 'help']);

/** @throws UsageError for an option that no command has */
export function readInput(args: string[]): Input {
    try {
        const { positionals, values } = parseArgs({ args, options: OPTIONS, allowPositionals: true });
        return { words: positionals, options: { ...values } };
    } catch (error) {
        throw new UsageError(error instanceof Error ? error.message : String(error));
    }
}

/** @throws UsageError when the command does not have an option that was given */
export function expectOptions({ options }: Input, allowed: string[]): void {
    const odd = Object.keys(options).filter((name) => !EVERYWHERE.has(name) && !allowed.includes(name));
    if (odd.length > 0) throw new UsageError(`This command has no option --${odd.join(', --')}`);
}

/** The value as the API's own schema takes it. @throws UsageError with a line for each fault */
export function checked<T>(schema: Joi.ObjectSchema<T>, value: object): T {
    const { error, value: valid } = schema.validate(value, { abortEarly: false, errors: { wrap: { label: false } } });
    if (error) throw new UsageError(error.details.map(({ message }) => message).join('\n'));
    return valid as T;
}

/** What comes in on the standard input, without the end of its line. */
export async function readStandardInput(): Promise<string> {
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks)
        .toString('utf8')
        .replace(/\r?\n$/, '');
}
