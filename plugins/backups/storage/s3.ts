import { checkName, checkPrefix, isName } from './names.ts';
import { S3Connection, type S3Config } from './s3-connection.ts';
import { ByteReader, inPieces } from '../byte-reader.ts';

import type { BackupStorage, StoredFile } from './types.ts';

/** Amazon takes 10,000 parts, all but the last of 5 MiB or more: files of 80 GB. */
const PART_BYTES = 8 * 1_024 * 1_024;

/** Objects of a bucket, Amazon's or that of another server that speaks S3. */
export class S3Storage implements BackupStorage {
    readonly #s3: S3Connection;
    /** Empty, or with a slash at its end. */
    readonly #prefix: string;

    constructor(config: S3Config) {
        this.#s3 = new S3Connection(config);
        const prefix = config.prefix.replace(/\/+$/, '');
        this.#prefix = prefix === '' ? '' : `${prefix}/`;
    }

    async write(name: string, source: AsyncIterable<Buffer>): Promise<void> {
        const key = this.#key(name);
        const upload = new Upload(this.#s3, key);
        try {
            for await (const { piece, isLast } of inPieces(new ByteReader(source), PART_BYTES)) {
                await upload.add(piece, isLast);
            }
        } catch (error) {
            await upload.abort();
            throw error;
        }
    }

    async *read(name: string): AsyncGenerator<Buffer> {
        // Not given on as it is: a name that is none is to fail when it is read, as in every storage.
        yield* this.#s3.get(this.#key(name));
    }

    async stat(name: string): Promise<StoredFile | null> {
        const bytes = await this.#s3.size(this.#key(name));
        return bytes === null ? null : { name, bytes };
    }

    async delete(name: string): Promise<void> {
        await this.#s3.remove(this.#key(name));
    }

    async *list(prefix: '' | `${string}/`): AsyncGenerator<StoredFile> {
        for await (const { key, bytes } of this.#s3.list(this.#prefix + checkPrefix(prefix))) {
            const name = key.slice(this.#prefix.length);
            if (isName(name)) yield { name, bytes };
        }
    }

    #key(name: string): string {
        return this.#prefix + checkName(name);
    }
}

/** One object as it is written: at once if it is one part, else part by part. The bucket shows it when it is whole. */
class Upload {
    readonly #s3: S3Connection;
    readonly #key: string;
    #id: string | undefined;
    readonly #tags: string[] = [];

    constructor(s3: S3Connection, key: string) {
        this.#s3 = s3;
        this.#key = key;
    }

    async add(part: Buffer, isLast: boolean): Promise<void> {
        if (isLast && this.#id === undefined) return this.#s3.put(this.#key, part);
        this.#id ??= await this.#s3.beginParts(this.#key);
        this.#tags.push(await this.#s3.putPart(this.#key, this.#id, this.#tags.length + 1, part));
        if (isLast) await this.#s3.completeParts(this.#key, this.#id, this.#tags);
    }

    async abort(): Promise<void> {
        // The error that is thrown tells more than one of the aborting; a rule of the bucket sweeps what stays.
        if (this.#id !== undefined) await this.#s3.abortParts(this.#key, this.#id).catch(() => undefined);
    }
}
