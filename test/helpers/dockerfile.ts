import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { packageRoot } from '../../src/package-root.ts';

/** An instruction as it is written, with its lines in one. */
export interface Instruction {
    name: string;
    flags: Record<string, string>;
    text: string;
    /** What follows in the exec form; empty in the other one. */
    exec: string[];
}

/** From one FROM to the next. */
export interface Stage {
    name: string;
    base: string;
    instructions: Instruction[];
}

const readInstruction = (line: string): Instruction => {
    const [, name = '', rest = ''] = /^([A-Z]+)\s+(.*)$/s.exec(line) ?? [];
    if (name === '') throw new Error(`Not an instruction of a Dockerfile: ${line}`);
    const flags: Record<string, string> = {};
    let text = rest;
    for (let match; (match = /^--([a-z-]+)=(\S+)\s+/.exec(text)); text = text.slice(match[0].length)) {
        flags[match[1] ?? ''] = match[2] ?? '';
    }
    const list = name === 'HEALTHCHECK' ? text.replace(/^CMD\s+/, '') : text;
    return { name, flags, text, exec: list.startsWith('[') ? (JSON.parse(list) as string[]) : [] };
};

/** Its instructions, one after the other. */
export function readDockerfile(): Instruction[] {
    const text = readFileSync(join(packageRoot(), 'Dockerfile'), 'utf8');
    return text
        .replaceAll(/^\s*#.*\n/gm, '')
        .replaceAll(/\\\n\s*/g, '')
        .split('\n')
        .filter((line) => line.trim() !== '')
        .map(readInstruction);
}

/** What the instructions before the first FROM name, and the stages that follow. */
export function stagesOf(instructions: Instruction[]): Stage[] {
    const stages: Stage[] = [];
    for (const instruction of instructions) {
        if (instruction.name === 'FROM') {
            const [base = '', , name = ''] = instruction.text.split(/\s+/);
            stages.push({ name, base, instructions: [] });
        } else stages.at(-1)?.instructions.push(instruction);
    }
    return stages;
}

/** `a=1 b="two words"`, as of ENV and LABEL. */
export const pairsOf = (text: string): [string, string][] =>
    [...text.matchAll(/([\w.]+)=(?:"([^"]*)"|(\S*))/g)].map(([, name = '', quoted, bare = '']) => [
        name,
        quoted ?? bare,
    ]);
