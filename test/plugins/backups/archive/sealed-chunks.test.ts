import { randomBytes } from 'node:crypto';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import {
    CHUNK_BYTES,
    openChunks,
    sealChunks,
    type ChunkKey,
} from '../../../../plugins/backups/archive/sealed-chunks.ts';
import { ByteReader } from '../../../../plugins/backups/byte-reader.ts';
import { collect, refusal, streamOf } from '../../../helpers/archive.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const newKey = (): ChunkKey => ({ key: randomBytes(32), prefix: randomBytes(7), associated: randomBytes(32) });
const sealing = newKey();
const content = randomBytes(CHUNK_BYTES * 3 + 5);

const seal = (pieces: Buffer[], key = sealing): Promise<Buffer[]> => collect(sealChunks(streamOf(pieces), key));
const open = async (pieces: Buffer[], key = sealing): Promise<Buffer> =>
    Buffer.concat(await collect(openChunks(new ByteReader(streamOf(pieces)), key)));

describe('sealChunks', () => {
    it('is opened by openChunks, whatever the size and wherever pieces end', async () => {
        for (const size of [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, CHUNK_BYTES * 2, content.length]) {
            const plain = content.subarray(0, size);
            const sealed = Buffer.concat(
                await seal([plain.subarray(0, size / 3), Buffer.alloc(0), plain.subarray(size / 3)]),
            );
            const chunks = Math.max(1, Math.ceil(size / CHUNK_BYTES));
            expect(sealed.length).to.equal(size + 16 * chunks);
            const [cut, other] = [sealed.length >> 1, sealed.length >> 2];
            const pieces = [sealed.subarray(0, other), sealed.subarray(other, cut), sealed.subarray(cut)];
            expect((await open(pieces)).equals(plain)).to.be.true();
        }
    });

    it('seals equal chunks differently', async () => {
        const chunks = await seal([Buffer.alloc(CHUNK_BYTES * 3)]);
        expect(new Set(chunks.map((chunk) => chunk.subarray(0, 64).toString('hex'))).size).to.equal(3);
    });
});

// Nothing but the chunks themselves is there to notice: no compression, no sums of what is in them.
describe('openChunks', () => {
    it('refuses chunks that are moved, doubled, left out or cut off, though all have the same content', async () => {
        const [first, second, third, last] = (await seal([Buffer.alloc(CHUNK_BYTES * 4)])) as [
            Buffer,
            Buffer,
            Buffer,
            Buffer,
        ];
        expect((await open([first, second, third, last])).length).to.equal(CHUNK_BYTES * 4);
        const wrong = [
            [second, first, third, last],
            [first, first, second, third, last],
            [first, second, second, last],
            [first, third, last],
            [second, third, last],
            [first, second, third],
            [first],
            [last],
            [first, second, third, last, last],
            [first, second, last, third],
            [first, second, third, last, first],
        ];
        for (const chunks of wrong) expect(await refusal(open(chunks), 'BACKUP_DAMAGED')).to.equal('altered');
    });

    it('refuses what is cut to less than a tag', async () => {
        const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = await seal([content.subarray(0, CHUNK_BYTES + 1)]);
        for (let bytes = 1; bytes < 16; bytes++) {
            const cut = [first, second.subarray(0, bytes)];
            expect(await refusal(open(cut), 'BACKUP_DAMAGED')).to.equal('truncated');
        }
        expect(await refusal(open([]), 'BACKUP_DAMAGED')).to.equal('truncated');
    });

    it('refuses what was sealed with another key, after another prefix or beside something else', async () => {
        const sealed = await seal([content]);
        const other = newKey();
        for (const part of ['key', 'prefix', 'associated'] as const) {
            const reason = await refusal(open(sealed, { ...sealing, [part]: other[part] }), 'BACKUP_DAMAGED');
            expect(reason, part).to.equal('altered');
        }
    });

    it('hands on no chunk before it is checked', async () => {
        const sealed = await seal([content]);
        sealed[1]?.writeUInt8(sealed[1].readUInt8(7) ^ 1, 7);
        const opened = openChunks(new ByteReader(streamOf(sealed)), sealing);
        expect((await opened.next()).value?.equals(content.subarray(0, CHUNK_BYTES))).to.be.true();
        expect(await refusal(opened.next(), 'BACKUP_DAMAGED')).to.equal('altered');
    });
});
