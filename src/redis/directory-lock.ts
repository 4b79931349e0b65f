import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { createFile } from '../create-file.ts';

/**
 * Takes a directory for this process; the file `lock` in it holds the process id. A lock whose process is gone is taken
 * over.
 *
 * @returns The function that gives it back
 * @throws {Error} When a living process has it
 */
export function lockDirectory(directory: string): () => void {
    const file = join(directory, 'lock');
    if (!take(file) && !takeOver(file)) {
        const holder = holderOf(file);
        const who = holder === null ? 'a process that has just begun or ended' : `process ${holder}`;
        throw new Error(`${directory} is in use by ${who}: stop it, or set DATA_DIR to another directory.`);
    }
    return () => rmSync(file, { force: true });
}

const take = (file: string): boolean => createFile(file, String(process.pid));

/** Of several that find the lock of a dead process only the one with the marker may remove it. */
function takeOver(file: string): boolean {
    const marker = `${file}.takeover`;
    const left = holderOf(marker);
    if (left !== null && !isAlive(left)) rmSync(marker, { force: true });
    if (!take(marker)) return false;
    try {
        const holder = holderOf(file);
        if (holder !== null && isAlive(holder)) return false;
        if (holder !== null) rmSync(file);
        return take(file);
    } finally {
        rmSync(marker);
    }
}

/** The process that a lock names; null when there is no lock. */
function holderOf(file: string): number | null {
    try {
        return Number(readFileSync(file, 'utf8'));
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
        return null;
    }
}

function isAlive(pid: number): boolean {
    if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
    try {
        process.kill(pid, 0);
        return true;
    } catch (error) {
        return (error as NodeJS.ErrnoException).code === 'EPERM';
    }
}
