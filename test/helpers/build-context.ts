import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { packageRoot } from '../../src/package-root.ts';

interface Rule {
    pattern: string;
    isAllowed: boolean;
    matches: (path: string) => boolean;
}

/** A pattern stands for what it names, and for all that is in there. */
function readRule(line: string): Rule {
    const isAllowed = line.startsWith('!');
    const pattern = isAllowed ? line.slice(1) : line;
    if (/[?[\]\\]/.test(pattern) || (isAllowed && pattern.includes('*'))) {
        throw new Error(`This reader does not know such a pattern: ${line}`);
    }
    const source = pattern
        .replaceAll('.', String.raw`\.`)
        .replaceAll(/\*\*\/|\*/g, (stars) => (stars === '*' ? '[^/]*' : '(?:.*/)?'));
    const expression = new RegExp(`^${source}(?:/.*)?$`);
    return { pattern, isAllowed, matches: (path) => expression.test(path) };
}

/** The files that a build sees: what .dockerignore lets through, by their paths from the root. */
export function buildContext(): string[] {
    const root = packageRoot();
    const lines = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');
    const rules = lines.filter((line) => line !== '' && !line.startsWith('#')).map(readRule);
    // The last one that matches decides.
    const isAllowed = (path: string): boolean => rules.findLast(({ matches }) => matches(path))?.isAllowed ?? true;
    const mayHold = (folder: string): boolean =>
        isAllowed(folder) || rules.some((rule) => rule.isAllowed && rule.pattern.startsWith(`${folder}/`));
    const walk = (folder: string): string[] =>
        readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
            const path = join(folder, entry.name);
            if (entry.isDirectory()) return mayHold(path) ? walk(path) : [];
            return isAllowed(path) ? [path] : [];
        });
    return walk('').toSorted();
}
