import { configCommands } from './config-commands.ts';
import { expectOptions, readInput } from './input.ts';
import { tenantCommands, userCommands } from './tenant-commands.ts';
import { UsageError } from './usage.ts';

import type { Act, Commands } from './command.ts';

const COMMANDS: Commands = { ...tenantCommands, ...userCommands, ...configCommands };

/** What was asked for. */
export interface Order {
    /** Null: help. */
    act: Act | null;
    isJson: boolean;
}

/** Reads what was written. @throws UsageError */
export async function readOrder(args: string[]): Promise<Order> {
    const { words: all, options } = readInput(args);
    const isJson = options.json === true;
    if (options.help === true) return { act: null, isJson };
    const [group = '', name = '', ...words] = all;
    const command = COMMANDS[`${group} ${name}`];
    if (!command) throw new UsageError(`There is no command ${[group, name].join(' ').trim() || 'without a name'}`);
    const isRight = command.words === 'some' ? words.length > 0 : words.length === command.words;
    if (!isRight) throw new UsageError(`${group} ${name} takes other arguments`);
    expectOptions({ words, options }, command.options);
    return { act: await command.prepare({ words, options }), isJson };
}
