import { gunzipSync } from 'node:zlib';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { compressed } from '../../../../plugins/tunnels/agent/compression.ts';
import { bodyOf, readAll } from '../../../helpers/link.ts';

import type { Headers } from '../../../../plugins/tunnels/link/types.ts';

export const lab = Lab.script();
const { describe, it } = lab;

interface Case {
    method?: string;
    status?: number;
    accept?: string | null;
    headers?: Headers;
}

const JSON_TYPE: Headers = [['content-type', 'application/json']];

/** The answer as it goes over the link. */
const made = ({ method = 'GET', status = 200, accept = 'gzip', headers = JSON_TYPE }: Case) => {
    const asked = { method, headers: accept === null ? [] : ([['accept-encoding', accept]] satisfies Headers) };
    return compressed(asked, { status, headers, body: bodyOf('one ', 'two') });
};
const isCompressed = (given: Case) =>
    made(given).headers.some(([name, value]) => name === 'content-encoding' && value === 'gzip');

describe('compressed', () => {
    it('compresses what the client takes compressed, and says so', async () => {
        const { status, headers, body } = made({
            status: 201,
            headers: [
                ['content-type', 'text/html; charset=utf-8'],
                ['content-length', '2000'],
                ['etag', '"abc"'],
                ['accept-ranges', 'bytes'],
                ['vary', 'origin'],
                ['x-kept', 'yes'],
            ],
        });
        expect(status).to.equal(201);
        expect(headers).to.equal([
            ['content-type', 'text/html; charset=utf-8'],
            ['etag', 'W/"abc"'],
            ['vary', 'origin'],
            ['x-kept', 'yes'],
            ['vary', 'Accept-Encoding'],
            ['content-encoding', 'gzip'],
        ]);
        expect(gunzipSync(await readAll(body)).toString()).to.equal('one two');
    });

    it('says once that it depends on what the client takes, and leaves a weak validator as it is', () => {
        for (const vary of ['*', 'Origin, accept-Encoding']) {
            const headers: Headers = [...JSON_TYPE, ['vary', vary], ['etag', 'W/"a"']];
            expect(made({ headers }).headers).to.equal([...headers, ['content-encoding', 'gzip']]);
        }
    });

    it('says so too where the client takes it only as it is', async () => {
        const { headers, body } = made({ accept: null, headers: [...JSON_TYPE, ['etag', '"a"']] });
        expect(headers).to.equal([...JSON_TYPE, ['etag', '"a"'], ['vary', 'Accept-Encoding']]);
        expect((await readAll(body)).toString()).to.equal('one two');
    });

    it('reads what the client takes', () => {
        const takes = [
            'gzip',
            'GZIP',
            'deflate, gzip;q=0.5',
            'br;q=1, x-gzip',
            '*',
            'gzip ; q=1.0',
            'identity;q=0.1, *',
        ];
        for (const accept of takes) expect(isCompressed({ accept }), accept).to.be.true();
        const not = [
            '',
            'br',
            'gzip;q=0',
            '*;q=0',
            'gzip;q=0, *',
            'identity',
            'identity;q=1, gzip;q=0.5',
            'gzip;q=0.0',
        ];
        for (const accept of [...not, null]) expect(isCompressed({ accept }), String(accept)).to.be.false();
    });

    it('leaves alone what has no body of its own, or is not to be changed', () => {
        expect(isCompressed({ method: 'HEAD' })).to.be.false();
        for (const status of [204, 206, 304]) expect(isCompressed({ status }), String(status)).to.be.false();
        for (const header of [
            ['content-encoding', 'br'],
            ['content-encoding', 'identity'],
            ['cache-control', 'public, No-Transform'],
            ['content-range', 'bytes 0-1/2'],
            ['content-digest', 'sha-256=:abc:'],
            ['content-length', '1023'],
        ] satisfies Headers) {
            const given = { headers: [...JSON_TYPE, header] };
            expect(isCompressed(given), header.join()).to.be.false();
            expect(made(given).headers, header.join()).to.equal(given.headers);
        }
        expect(isCompressed({ headers: [...JSON_TYPE, ['content-length', '1024']] })).to.be.true();
    });

    it('compresses text in all its forms, and nothing that is compressed by its nature', () => {
        const text = ['text/event-stream', 'TEXT/plain', 'application/x-ndjson', 'application/xml', 'image/svg+xml'];
        text.push('application/problem+json', 'application/javascript;charset=utf-8');
        for (const type of text) expect(isCompressed({ headers: [['content-type', type]] }), type).to.be.true();
        const other = [
            'image/png',
            'application/zip',
            'application/octet-stream',
            'video/mp4',
            '',
            'application/jsonx',
        ];
        for (const type of other) expect(isCompressed({ headers: [['content-type', type]] }), type).to.be.false();
        expect(isCompressed({ headers: [] })).to.be.false();
    });

    it('fails where the body does, and lets go of it when nobody reads on', async () => {
        let isClosed = false;
        async function* source(isFailing: boolean) {
            try {
                yield Buffer.from('one');
                if (isFailing) throw new Error('lost');
                for (;;) yield Buffer.alloc(100_000, Math.random());
            } finally {
                isClosed = true;
            }
        }
        const asked = { method: 'GET', headers: [['accept-encoding', 'gzip']] satisfies Headers };
        const answer = { status: 200, headers: JSON_TYPE };
        await expect(readAll(compressed(asked, { ...answer, body: source(true) }).body)).to.reject();
        isClosed = false;
        for await (const chunk of compressed(asked, { ...answer, body: source(false) }).body) {
            expect(chunk.length).to.be.above(0);
            break;
        }
        while (!isClosed) await new Promise((resolve) => setImmediate(resolve));
    });
});
