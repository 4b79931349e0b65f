import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

import { ACCESS_KEY, SECRET_KEY, signatureFault } from './s3-signature.ts';

import type { AddressInfo } from 'node:net';

/**
 * What goes wrong with a request: an error of the server, a connection that is cut before the answer or in the middle
 * of its body, or an answer that never comes or stops in its middle.
 */
export type S3Fault = 'error' | 'cut' | 'cut body' | 'silent' | 'silent body';

/** A server that speaks as much S3 as the storage of backups, with one bucket. */
export interface TestS3 {
    endpoint: string;
    bucket: string;
    /** By key. */
    objects: Map<string, Buffer>;
    /** Uploads that were neither completed nor aborted, by id. */
    uploads: Map<string, Map<number, Buffer>>;
    /** What was asked: method, and what of the object. */
    requests: string[];
    /** The next request that begins so has that fault; with a number, so many of them. */
    fail: (request: string, fault: S3Fault, times?: number) => void;
    /** Forgets what it holds, what was asked and what was to fail. */
    clear: () => void;
    stop: () => Promise<void>;
}

const BUCKET = 'backups-of-tests';
const MIN_PART_BYTES = 5 * 1_024 * 1_024;
const PAGE = 2;

const tagOf = (content: Buffer): string => `"${createHash('md5').update(content).digest('hex')}"`;
const xml = (root: string, content: string): string =>
    `<?xml version="1.0" encoding="UTF-8"?><${root}>${content}</${root}>`;

interface Asked {
    request: IncomingMessage;
    key: string;
    query: URLSearchParams;
    body: Buffer;
}

interface Answer {
    status: number;
    body?: Buffer | string;
    headers?: Record<string, string>;
}

const refuse = (status: number, code: string): Answer => ({ status, body: xml('Error', `<Code>${code}</Code>`) });

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece);
    return Buffer.concat(pieces);
}

class Bucket {
    readonly objects = new Map<string, Buffer>();
    readonly uploads = new Map<string, Map<number, Buffer>>();
    #begun = 0;

    readonly answers: Record<string, (asked: Asked) => Answer> = {
        'PUT object': ({ key, body }) => {
            this.objects.set(key, body);
            return { status: 200, headers: { etag: tagOf(body) } };
        },
        'POST uploads': ({ key }) => {
            const id = `upload-${++this.#begun}`;
            this.uploads.set(id, new Map());
            const names = `<Bucket>${BUCKET}</Bucket><Key>${key}</Key><UploadId>${id}</UploadId>`;
            return { status: 200, body: xml('InitiateMultipartUploadResult', names) };
        },
        'PUT part': ({ query, body }) => {
            const parts = this.uploads.get(query.get('uploadId') ?? '');
            if (!parts) return refuse(404, 'NoSuchUpload');
            parts.set(Number(query.get('partNumber')), body);
            return { status: 200, headers: { etag: tagOf(body) } };
        },
        'POST complete': ({ key, query, body }) => this.#complete(key, query.get('uploadId') ?? '', body.toString()),
        'DELETE upload': ({ query }) =>
            this.uploads.delete(query.get('uploadId') ?? '') ? { status: 204 } : refuse(404, 'NoSuchUpload'),
        'DELETE object': ({ key }) => {
            this.objects.delete(key);
            return { status: 204 };
        },
        'GET list': ({ query }) => this.#list(query),
        'GET object': ({ key, request }) => this.#object(key, request),
        'HEAD object': ({ key, request }) => this.#object(key, request),
    };

    #complete(key: string, id: string, body: string): Answer {
        const parts = this.uploads.get(id);
        if (!parts) return refuse(404, 'NoSuchUpload');
        const named = [...body.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = '']) => ({
            content: parts.get(Number(/<PartNumber>(\d+)</.exec(part)?.[1])),
            tag: /<ETag>(.*?)</.exec(part)?.[1]?.replaceAll('&quot;', '"'),
        }));
        const contents = named.map(({ content, tag }) => (content && tagOf(content) === tag ? content : null));
        if (contents.length !== parts.size || contents.includes(null)) return refuse(400, 'InvalidPart');
        const whole = contents.filter((content) => content !== null);
        if (whole.slice(0, -1).some(({ length }) => length < MIN_PART_BYTES)) return refuse(400, 'EntityTooSmall');
        this.objects.set(key, Buffer.concat(whole));
        this.uploads.delete(id);
        return { status: 200, body: xml('CompleteMultipartUploadResult', `<Key>${key}</Key>`) };
    }

    #object(key: string, { headers }: IncomingMessage): Answer {
        const object = this.objects.get(key);
        if (!object) return refuse(404, 'NoSuchKey');
        const etag = tagOf(object);
        if (headers['if-match'] !== undefined && headers['if-match'] !== etag) return refuse(412, 'PreconditionFailed');
        const from = /^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1];
        if (from === undefined) return { status: 200, body: object, headers: { etag } };
        if (Number(from) >= object.length) return refuse(416, 'InvalidRange');
        return { status: 206, body: object.subarray(Number(from)), headers: { etag } };
    }

    #list(query: URLSearchParams): Answer {
        const keys = [...this.objects.keys()].filter((key) => key.startsWith(query.get('prefix') ?? '')).toSorted();
        const from = Number(query.get('continuation-token') ?? 0);
        const contents = keys
            .slice(from, from + PAGE)
            .map((key) => `<Contents><Key>${key}</Key><Size>${this.objects.get(key)?.length}</Size></Contents>`);
        const hasMore = keys.length > from + PAGE;
        const next = hasMore ? `<NextContinuationToken>${from + PAGE}</NextContinuationToken>` : '';
        return {
            status: 200,
            body: xml('ListBucketResult', `<IsTruncated>${hasMore}</IsTruncated>${next}${contents.join('')}`),
        };
    }
}

/** What a request is, in two words. */
function kindOf(method: string, key: string, query: URLSearchParams): string {
    if (key === '') return `${method} list`;
    if (method === 'POST') return query.has('uploads') ? 'POST uploads' : 'POST complete';
    if (!query.has('uploadId')) return `${method} object`;
    return method === 'PUT' ? 'PUT part' : `${method} upload`;
}

function send(response: ServerResponse, method: string, { status, body = '', headers = {} }: Answer, fault?: S3Fault) {
    if (fault === 'silent') return;
    if (fault === 'cut') return response.destroy();
    const content = Buffer.from(body);
    response.writeHead(status, { ...headers, 'content-length': content.length });
    if (method === 'HEAD') return response.end();
    if (fault === undefined) return response.end(content);
    const half = content.subarray(0, content.length / 2);
    return response.write(half, () => fault === 'cut body' && response.destroy());
}

/** Gives this process credentials for it, as its environment would have them, until it stops. */
export async function startS3(): Promise<TestS3> {
    const bucket = new Bucket();
    const requests: string[] = [];
    const faults: { request: string; fault: S3Fault }[] = [];
    const take = (kind: string): S3Fault | undefined => {
        const at = faults.findIndex(({ request }) => kind.startsWith(request));
        return at === -1 ? undefined : faults.splice(at, 1)[0]?.fault;
    };
    const answer = (kind: string, asked: Asked): Answer => {
        const refused = signatureFault(asked.request, asked.body);
        return refused ? refuse(403, refused) : (bucket.answers[kind]?.(asked) ?? refuse(405, 'MethodNotAllowed'));
    };
    const server = createServer(async (request, response) => {
        const { pathname, searchParams: query } = new URL(request.url ?? '', 'http://s3');
        const [, name, ...rest] = pathname.split('/');
        const method = request.method ?? '';
        const kind = kindOf(method, rest.join('/'), query);
        requests.push(kind);
        const fault = take(kind);
        const body = await bodyOf(request).catch(() => null);
        if (!body) return;
        const asked = { request, key: decodeURIComponent(rest.join('/')), query, body };
        const isThere = name === BUCKET;
        if (fault === 'error') send(response, method, refuse(500, 'InternalError'));
        else send(response, method, isThere ? answer(kind, asked) : refuse(404, 'NoSuchBucket'), fault);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const environment = { AWS_ACCESS_KEY_ID: ACCESS_KEY, AWS_SECRET_ACCESS_KEY: SECRET_KEY };
    Object.assign(process.env, environment);
    return {
        endpoint: `http://127.0.0.1:${port}`,
        bucket: BUCKET,
        objects: bucket.objects,
        uploads: bucket.uploads,
        requests,
        fail: (request, fault, times = 1) => {
            faults.push(...Array.from({ length: times }, () => ({ request, fault })));
        },
        clear: () => {
            bucket.objects.clear();
            bucket.uploads.clear();
            requests.length = 0;
            faults.length = 0;
        },
        stop: async () => {
            for (const name of Object.keys(environment)) Reflect.deleteProperty(process.env, name);
            server.closeAllConnections();
            await new Promise((resolve) => server.close(resolve));
        },
    };
}
