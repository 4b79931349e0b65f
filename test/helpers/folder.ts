import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const made = new Set<string>();

/** A folder of a test's own, with a path short enough for a socket in it. It goes with the process. */
export function temporaryFolder(): string {
    if (made.size === 0) {
        process.once('exit', () => {
            for (const folder of made) rmSync(folder, { recursive: true, force: true });
        });
    }
    const folder = mkdtempSync(join(tmpdir(), 't-'));
    made.add(folder);
    return folder;
}
