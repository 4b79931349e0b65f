import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Takes a directory for this process; the file `lock` in it holds the process id. A lock whose process is gone is taken
 * over.
 *
 * @returns The function that gives it back
 * @throws {Error} When a living process has it
 */
export function lockDirectory(directory: string): () => void {
    const file = join(directory, 'lock');
    const take = () => writeFileSync(file, String(process.pid), { flag: 'wx', mode: 0o600 });
    try {
        take();
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        const holder = Number(readFileSync(file, 'utf8'));
        if (isAlive(holder)) {
            throw new Error(
                `${directory} is in use by process ${holder}: stop it, or set DATA_DIR to another directory.`,
            );
        }
        rmSync(file);
        take();
    }
    return () => rmSync(file, { force: true });
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
