import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';

import { checkName, checkPrefix, isName } from './names.ts';
import { storageUnavailable } from './unavailable.ts';

import type { BackupStorage, StoredFile } from './types.ts';

/** What is being written begins with a dot, so that it is no name of the storage. */
const DRAFT = /^\..+\.draft$/;
/** Nobody pauses for so long in the middle of an archive: its writer has died. */
const DEAD_AFTER = 60 * 60 * 1_000;
const READ_BYTES = 64 * 1_024;

/** Files in a directory of this machine, or of a network that has `rename` and `fsync` as POSIX tells them. */
export class DirectoryStorage implements BackupStorage {
    readonly #root: string;

    constructor(root: string) {
        this.#root = resolve(root);
    }

    async write(name: string, source: AsyncIterable<Buffer>): Promise<void> {
        const file = this.#path(name);
        const folder = dirname(file);
        const draft = join(folder, `.${randomUUID()}.draft`);
        const handle = await orUnavailable(async () => {
            await makeFolder(folder);
            await sweep(folder);
            return open(draft, 'wx', 0o600);
        });
        try {
            await fill(handle, source);
            await orUnavailable(() => rename(draft, file));
        } catch (error) {
            // The error that is thrown tells more than one of the taking away; what stays is swept later.
            await rm(draft, { force: true }).catch(() => undefined);
            throw error;
        }
        await orUnavailable(() => syncFolder(folder));
    }

    async *read(name: string): AsyncGenerator<Buffer> {
        const file = this.#path(name);
        const handle = await orUnavailable(() => unlessMissing(open(file, constants.O_RDONLY | constants.O_NOFOLLOW)));
        if (!handle) return;
        try {
            for (;;) {
                const { bytesRead, buffer } = await orUnavailable(() =>
                    handle.read({ buffer: Buffer.allocUnsafe(READ_BYTES) }),
                );
                if (bytesRead === 0) return;
                yield buffer.subarray(0, bytesRead);
            }
        } finally {
            await handle.close();
        }
    }

    async stat(name: string): Promise<StoredFile | null> {
        const file = this.#path(name);
        const found = await orUnavailable(() => unlessMissing(stat(file)));
        return found && { name, bytes: found.size };
    }

    async delete(name: string): Promise<void> {
        const file = this.#path(name);
        await orUnavailable(async () => {
            if (!(await unlessMissing(stat(file)))) return;
            await rm(file, { force: true });
            await syncFolder(dirname(file));
        });
    }

    async *list(prefix: '' | `${string}/`): AsyncGenerator<StoredFile> {
        const folders = checkPrefix(prefix) === '' ? await entries(this.#root, 'folders') : [prefix.slice(0, -1)];
        for (const folder of folders) {
            const files = await entries(join(this.#root, folder), 'files');
            for (const name of files.map((file) => `${folder}/${file}`).filter(isName)) {
                const file = await this.stat(name);
                if (file) yield file;
            }
        }
    }

    /** The name's form leaves no way out; that the path stays inside is looked at all the same. */
    #path(name: string): string {
        const path = resolve(this.#root, checkName(name));
        if (!path.startsWith(this.#root + sep)) throw new Error('The name leads out of the directory of backups');
        return path;
    }
}

async function fill(handle: FileHandle, source: AsyncIterable<Buffer>): Promise<void> {
    try {
        for await (const piece of source) await orUnavailable(() => handle.writeFile(piece));
        await orUnavailable(() => handle.sync());
    } finally {
        await orUnavailable(() => handle.close());
    }
}

async function makeFolder(folder: string): Promise<void> {
    const first = await mkdir(folder, { recursive: true, mode: 0o700 });
    if (first === undefined) return;
    for (let made = folder; made.startsWith(first); made = dirname(made)) await syncFolder(dirname(made));
}

/** A new name lasts only when its folder is on the disk. */
async function syncFolder(folder: string): Promise<void> {
    const handle = await open(folder, 'r');
    try {
        await handle.sync();
    } finally {
        await handle.close();
    }
}

/** Takes away what writers that died have left in the folder. */
async function sweep(folder: string): Promise<void> {
    const drafts = (await readdir(folder)).filter((name) => DRAFT.test(name)).map((name) => join(folder, name));
    for (const draft of drafts) {
        const found = await unlessMissing(stat(draft));
        if (found && Date.now() - found.mtimeMs > DEAD_AFTER) await rm(draft, { force: true });
    }
}

/** Names in a folder; none when it is not there. */
async function entries(folder: string, kind: 'folders' | 'files'): Promise<string[]> {
    const found = await orUnavailable(() => unlessMissing(readdir(folder, { withFileTypes: true })));
    const wanted = found?.filter((entry) => (kind === 'folders' ? entry.isDirectory() : entry.isFile()));
    return wanted?.map(({ name }) => name) ?? [];
}

async function unlessMissing<T>(found: Promise<T>): Promise<T | null> {
    try {
        return await found;
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw error;
    }
}

async function orUnavailable<T>(act: () => Promise<T>): Promise<T> {
    try {
        return await act();
    } catch (error) {
        throw storageUnavailable(error);
    }
}
