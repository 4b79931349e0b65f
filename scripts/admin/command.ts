import type { Server } from '@hapi/hapi';
import type { Input } from './input.ts';
import type { Actor } from '../../src/types/actor.ts';

/** Does it, and gives what is to be shown. */
export type Act = (server: Server, actor: Actor) => Promise<object>;

export interface Command {
    /** How many words come after its name; 'some': one or more. */
    words: number | 'some';
    /** The names of its options. */
    options: string[];
    /** Looks at what was written, before anything is opened. @throws UsageError */
    prepare: (input: Input) => Act | Promise<Act>;
}

/** Commands by their names, two words. */
export type Commands = Record<string, Command>;
