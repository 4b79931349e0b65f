import { randomUUID } from 'node:crypto';
import { linkSync, rmSync, writeFileSync } from 'node:fs';

/**
 * Creates a file, readable by its owner only, that has its whole content from the first moment on.
 *
 * @returns False when there is a file of that name already
 */
export function createFile(file: string, text: string): boolean {
    const draft = `${file}.${randomUUID()}`;
    writeFileSync(draft, text, { flag: 'wx', mode: 0o600 });
    try {
        linkSync(draft, file);
        return true;
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        return false;
    } finally {
        rmSync(draft);
    }
}
