import { createHash, createHmac } from 'node:crypto';

import type { IncomingMessage } from 'node:http';

export const ACCESS_KEY = 'AKIATESTTESTTESTTEST';
export const SECRET_KEY = 'a secret of the bucket, for tests';

const sha256 = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

const header = ({ headers }: IncomingMessage, name: string): string => String(headers[name] ?? '').trim();

const FORM =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([\w-]+)\/s3\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/;
const SIGNED = ['host', 'x-amz-date', 'x-amz-content-sha256'];

function canonicalRequest(request: IncomingMessage, signed: string[]): string {
    const [path, query = ''] = (request.url ?? '').split('?');
    const parameters = query.split('&').map((part) => (part === '' || part.includes('=') ? part : `${part}=`));
    return [
        request.method,
        path,
        parameters.toSorted().join('&'),
        ...signed.map((name) => `${name}:${header(request, name)}`),
        '',
        signed.join(';'),
        header(request, 'x-amz-content-sha256'),
    ].join('\n');
}

/** Why the signature (AWS Signature Version 4, in the Authorization header) is refused, or null. */
export function signatureFault(request: IncomingMessage, body: Buffer): string | null {
    const found = FORM.exec(request.headers.authorization ?? '');
    if (!found) return 'AccessDenied';
    const [, accessKey, day = '', region = '', names = '', signature] = found;
    const signed = names.split(';');
    if (accessKey !== ACCESS_KEY) return 'InvalidAccessKeyId';
    if (!SIGNED.every((name) => signed.includes(name))) return 'AccessDenied';
    if (header(request, 'x-amz-content-sha256') !== sha256(body)) return 'XAmzContentSHA256Mismatch';
    const scope = `${day}/${region}/s3/aws4_request`;
    const key = [region, 's3', 'aws4_request'].reduce<Buffer>(hmac, hmac(`AWS4${SECRET_KEY}`, day));
    const canonical = sha256(canonicalRequest(request, signed));
    const text = ['AWS4-HMAC-SHA256', header(request, 'x-amz-date'), scope, canonical].join('\n');
    return hmac(key, text).toString('hex') === signature ? null : 'SignatureDoesNotMatch';
}
