import { pipeline } from 'node:stream';
import { constants, createGzip } from 'node:zlib';

import type { Headers, LinkRequest, RelayAnswer } from '../link/types.ts';

/** What is known to be shorter grows rather than shrinks. */
const LEAST_BYTES = 1_024;
const COMPRESSIBLE =
    /^(text\/.+|application\/(json|x-ndjson|ndjson|jsonl|json-seq|xml|javascript|x-javascript|yaml)|.+\+(json|xml))$/;
/** Without a body, or a part of one whose places are counted in the original. */
const UNTOUCHED = new Set([204, 206, 304]);
/** What these say is true of the bytes as the service has sent them. */
const OF_THE_BYTES = ['content-encoding', 'content-range', 'content-digest', 'content-md5', 'digest'];

type Asked = Pick<LinkRequest, 'method' | 'headers'>;

/** The answer with its body compressed, each piece as it comes, where the client takes that and it is worth it. */
export function compressed(asked: Asked, answer: RelayAnswer): RelayAnswer {
    if (!isCompressible(asked, answer)) return answer;
    const headers = varying(answer.headers);
    if (!takesGzip(asked.headers)) return { ...answer, headers };
    const gzip = createGzip({ flush: constants.Z_SYNC_FLUSH });
    // What goes wrong shows when the body is read.
    pipeline(answer.body, gzip, () => undefined);
    return { ...answer, headers: [...headers.flatMap(ofCompressed), ['content-encoding', 'gzip']], body: gzip };
}

function isCompressible({ method }: Asked, { status, headers }: RelayAnswer): boolean {
    if (method === 'HEAD' || status < 200 || UNTOUCHED.has(status)) return false;
    if (headers.some(([name]) => OF_THE_BYTES.includes(name))) return false;
    if (/\bno-transform\b/i.test(valueOf(headers, 'cache-control'))) return false;
    const [type = ''] = valueOf(headers, 'content-type').split(';');
    const length = valueOf(headers, 'content-length');
    return COMPRESSIBLE.test(type.trim().toLowerCase()) && (length === '' || Number(length) >= LEAST_BYTES);
}

/** RFC 9110, 12.5.3; a client that would rather have it as it is gets it so. */
function takesGzip(headers: Headers): boolean {
    const weights = new Map<string, number>();
    for (const part of valueOf(headers, 'accept-encoding').toLowerCase().split(',')) {
        const [name = '', ...rest] = part.split(';').map((each) => each.trim());
        const [, weight = '1'] = rest.map((each) => /^q=([\d.]+)$/.exec(each)).find((found) => found !== null) ?? [];
        weights.set(name, Number(weight));
    }
    const gzip = weights.get('gzip') ?? weights.get('x-gzip') ?? weights.get('*') ?? 0;
    return gzip > 0 && gzip >= (weights.get('identity') ?? 0);
}

/** Who keeps the answer has to know that another client may get it in another form. */
function varying(headers: Headers): Headers {
    const names = valueOf(headers, 'vary').toLowerCase().split(',');
    const isSaid = names.some((name) => ['*', 'accept-encoding'].includes(name.trim()));
    return isSaid ? headers : [...headers, ['vary', 'Accept-Encoding']];
}

/** RFC 9110, 8.8.1: what is not the same byte for byte has no strong validator in common. */
function ofCompressed([name, value]: Headers[number]): Headers {
    if (name === 'content-length' || name === 'accept-ranges') return [];
    return [[name, name === 'etag' && !value.startsWith('W/') ? `W/${value}` : value]];
}

/** Of all headers of that name, as of one. */
const valueOf = (headers: Headers, wanted: string): string =>
    headers
        .filter(([name]) => name === wanted)
        .map(([, value]) => value)
        .join(', ');
