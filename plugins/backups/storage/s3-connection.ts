import { Readable } from 'node:stream';

import { storageUnavailable } from './unavailable.ts';
import { withinTime } from './within-time.ts';

import type * as Sdk from '@aws-sdk/client-s3';

export interface S3Config {
    bucket: string;
    /** Of a server that is not Amazon's; its buckets are named in the path. */
    endpoint?: string;
    prefix: string;
    limits?: S3Limits;
}

/** What is waited for at most, in milliseconds. */
export interface S3Limits {
    connect: number;
    /** One attempt, with its body: 8 MiB at 1.1 Mbit/s. */
    attempt: number;
    /** The next bytes of an object that is being read. */
    bytes: number;
}

const LIMITS: S3Limits = { connect: 5_000, attempt: 60_000, bytes: 30_000 };
const ATTEMPTS = 3;

interface Connected {
    sdk: typeof Sdk;
    client: Sdk.S3Client;
}

interface OpenObject {
    body: Readable;
    bytes: number;
    etag: string | undefined;
}

/** The calls of S3 that the storage needs. Each is tried three times, and fails as `BACKUP_STORAGE_UNAVAILABLE`. */
export class S3Connection {
    readonly #bucket: string;
    readonly #endpoint: string | undefined;
    readonly #limits: S3Limits;
    #connected: Promise<Connected> | undefined;

    constructor({ bucket, endpoint, limits = LIMITS }: Omit<S3Config, 'prefix'>) {
        this.#bucket = bucket;
        this.#endpoint = endpoint;
        this.#limits = limits;
    }

    async put(key: string, body: Buffer): Promise<void> {
        const input = { ...this.#object(key), Body: body };
        await this.#call(({ sdk, client }, options) => client.send(new sdk.PutObjectCommand(input), options));
    }

    /** Gives the id of the upload. */
    async beginParts(key: string): Promise<string> {
        const input = this.#object(key);
        return this.#call(async ({ sdk, client }, options) => {
            const { UploadId } = await client.send(new sdk.CreateMultipartUploadCommand(input), options);
            return told(UploadId);
        });
    }

    /** Gives the tag that the part is known by in the end. */
    async putPart(key: string, upload: string, number: number, body: Buffer): Promise<string> {
        const input = { ...this.#object(key), UploadId: upload, PartNumber: number, Body: body };
        return this.#call(async ({ sdk, client }, options) => {
            const { ETag } = await client.send(new sdk.UploadPartCommand(input), options);
            return told(ETag);
        });
    }

    async completeParts(key: string, upload: string, tags: string[]): Promise<void> {
        const Parts = tags.map((ETag, index) => ({ ETag, PartNumber: index + 1 }));
        const input = { ...this.#object(key), UploadId: upload, MultipartUpload: { Parts } };
        await this.#call(({ sdk, client }, options) =>
            client.send(new sdk.CompleteMultipartUploadCommand(input), options),
        );
    }

    async abortParts(key: string, upload: string): Promise<void> {
        const input = { ...this.#object(key), UploadId: upload };
        await this.#call(({ sdk, client }, options) =>
            client.send(new sdk.AbortMultipartUploadCommand(input), options),
        );
    }

    /** The object, empty when there is none. A connection that is cut is made anew, and goes on where it was. */
    async *get(key: string): AsyncGenerator<Buffer> {
        const whole = await this.#open(key, 0);
        let failures = 0;
        for (let object = whole, at = 0; object && whole; object = await this.#open(key, at, whole.etag)) {
            try {
                for await (const piece of withinTime(object.body, this.#limits.bytes)) {
                    at += piece.length;
                    failures = 0;
                    yield piece;
                }
                if (at < whole.bytes) throw new Error('The object ended early');
            } catch (error) {
                failures += 1;
                if (failures === ATTEMPTS) throw storageUnavailable(error);
            }
            if (at >= whole.bytes) return;
        }
        if (whole) throw storageUnavailable(new Error('The object was deleted while it was read'));
    }

    /** Null when there is none. */
    async size(key: string): Promise<number | null> {
        const input = this.#object(key);
        return this.#call(async ({ sdk, client }, options) => {
            const found = await unlessMissing(client.send(new sdk.HeadObjectCommand(input), options));
            return found && told(found.ContentLength);
        });
    }

    async remove(key: string): Promise<void> {
        const input = this.#object(key);
        await this.#call(({ sdk, client }, options) => client.send(new sdk.DeleteObjectCommand(input), options));
    }

    async *list(prefix: string): AsyncGenerator<{ key: string; bytes: number }> {
        let from: string | undefined;
        do {
            const input = {
                Bucket: this.#bucket,
                Prefix: prefix,
                ...(from !== undefined && { ContinuationToken: from }),
            };
            const page = await this.#call(({ sdk, client }, options) =>
                client.send(new sdk.ListObjectsV2Command(input), options),
            );
            for (const { Key, Size } of page.Contents ?? []) yield { key: told(Key), bytes: told(Size) };
            from = page.NextContinuationToken;
        } while (from !== undefined);
    }

    /** @param etag Of the object that was begun: another one is not gone on with */
    async #open(key: string, from: number, etag?: string): Promise<OpenObject | null> {
        const range = { ...(from > 0 && { Range: `bytes=${from}-` }), ...(etag !== undefined && { IfMatch: etag }) };
        const input = { ...this.#object(key), ...range };
        return this.#call(async ({ sdk, client }) => {
            // Without the time limit of the call: it would hold for the body too, which is read as slowly as is needed.
            const found = await unlessMissing(client.send(new sdk.GetObjectCommand(input)));
            if (!found) return null;
            if (!(found.Body instanceof Readable)) throw new Error('The object came without a body');
            return { body: found.Body, bytes: told(found.ContentLength), etag: found.ETag };
        });
    }

    #object(key: string): { Bucket: string; Key: string } {
        return { Bucket: this.#bucket, Key: key };
    }

    async #call<T>(act: (connected: Connected, options: { abortSignal: AbortSignal }) => Promise<T>): Promise<T> {
        try {
            this.#connected ??= connect(this.#endpoint, this.#limits);
            // An attempt's own limit ends with the first bytes of its answer; this one with the last.
            const abortSignal = AbortSignal.timeout((ATTEMPTS + 1) * this.#limits.attempt);
            return await act(await this.#connected, { abortSignal });
        } catch (error) {
            throw storageUnavailable(error);
        }
    }
}

/** The library is large: who keeps backups in a directory does not load it. It takes credentials as Amazon's tools do. */
async function connect(endpoint: string | undefined, limits: S3Limits): Promise<Connected> {
    const sdk = await import('@aws-sdk/client-s3');
    const client = new sdk.S3Client({
        ...(endpoint !== undefined && {
            endpoint,
            forcePathStyle: true,
            region: process.env['AWS_REGION'] ?? 'us-east-1',
        }),
        maxAttempts: ATTEMPTS,
        requestHandler: {
            connectionTimeout: limits.connect,
            requestTimeout: limits.attempt,
            throwOnRequestTimeout: true,
            socketTimeout: 0,
        },
        // Other servers do not know Amazon's newer checksums; the signature has one of the body already.
        requestChecksumCalculation: 'WHEN_REQUIRED',
        responseChecksumValidation: 'WHEN_REQUIRED',
    });
    return { sdk, client };
}

async function unlessMissing<T>(answer: Promise<T>): Promise<T | null> {
    try {
        return await answer;
    } catch (error) {
        // An object that is not there; a bucket that is not there has another name.
        if (error instanceof Error && ['NoSuchKey', 'NotFound'].includes(error.name)) return null;
        throw error;
    }
}

function told<T>(value: T | undefined): T {
    if (value === undefined) throw new Error('The answer of the storage lacks what it must tell');
    return value;
}
