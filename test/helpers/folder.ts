import { existsSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const made = new Set<string>();

/** A folder of a test's own, with a path short enough for a socket in it. It goes with the process. */
export function temporaryFolder(parent = tmpdir()): string {
    if (made.size === 0) {
        process.once('exit', () => {
            for (const folder of made) rmSync(folder, { recursive: true, force: true });
        });
    }
    const folder = mkdtempSync(join(parent, 't-'));
    made.add(folder);
    return folder;
}

const MEMORY = '/dev/shm';
const MANY_FILES_BYTES = 2 ** 31;

/** A folder for thousands of files, as packages have them: in memory where that has room, for disks are slow at it. */
export function folderForManyFiles(): string {
    if (!existsSync(MEMORY)) return temporaryFolder();
    const { bavail, bsize } = statfsSync(MEMORY);
    return temporaryFolder(bavail * bsize > MANY_FILES_BYTES ? MEMORY : undefined);
}
