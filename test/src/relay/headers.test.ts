import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { forClient, forTarget, headerPairs } from '../../../src/relay/headers.ts';

import type { Headers } from '../../../src/relay/types.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const named = (headers: Headers) => headers.map(([name]) => name);
const all = (...names: string[]): Headers => names.map((name) => [name, 'x']);

describe('forTarget', () => {
    it('passes what the request is about, in its order and as often as it is there', () => {
        const headers: Headers = [
            ['accept', 'a'],
            ['content-type', 'b'],
            ['accept', 'c'],
            ['x-custom', 'd'],
        ];
        expect(forTarget(headers)).to.equal(headers);
    });

    it('drops credentials, cookies, the origin and what belongs to the connection', () => {
        const dropped = [
            'authorization',
            'cookie',
            'x-api-key',
            'origin',
            'host',
            'transfer-encoding',
            'upgrade',
            'keep-alive',
            'te',
            'expect',
            'proxy-authorization',
            'x-forwarded-for',
            'forwarded',
            'x-internal-signature',
            'sec-fetch-mode',
        ];
        expect(named(forTarget(all(...dropped, 'accept')))).to.equal(['accept']);
    });

    it('drops what the header Connection names', () => {
        const headers: Headers = [['connection', 'close, X-Secret'], ...all('x-secret', 'accept')];
        expect(named(forTarget(headers))).to.equal(['accept']);
    });

    it('drops what no header may be', () => {
        const headers: Headers = [
            ['x-a', 'b\r\nset-cookie: c'],
            ['x\nb', 'c'],
            ['x-n\u0000', 'c'],
            ['x c', 'd'],
            ['', 'e'],
            ['X-Upper', 'f'],
            ['x-good', 'é\tg'],
        ];
        expect(named(forTarget(headers))).to.equal(['x-good']);
    });
});

describe('forClient', () => {
    it('drops what a target must not say in the name of the API', () => {
        const dropped = [
            'set-cookie',
            'strict-transport-security',
            'access-control-allow-origin',
            'clear-site-data',
            'connection',
            'transfer-encoding',
            'x-internal-error',
            'x-ratelimit-limit',
            'x-request-id',
        ];
        expect(named(forClient(all(...dropped, 'content-type', 'etag')))).to.equal(['content-type', 'etag']);
    });
});

describe('headerPairs', () => {
    it('pairs the form of Node.js, with the names in lower case', () => {
        expect(headerPairs(['Content-Type', 'a', 'ETag', 'b'])).to.equal([
            ['content-type', 'a'],
            ['etag', 'b'],
        ]);
    });
});
