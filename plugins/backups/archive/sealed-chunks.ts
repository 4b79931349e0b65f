import { createCipheriv, createDecipheriv } from 'node:crypto';

import { damaged } from './faults.ts';
import { ByteReader, inPieces } from '../byte-reader.ts';

const CIPHER = 'aes-256-gcm';
const TAG_BYTES = 16;
const NONCE_BYTES = 12;

export const CHUNK_BYTES = 64 * 1_024;
export const KEY_BYTES = 32;
/** The part of the nonce that is the same for all chunks; four bytes of counter and one of end mark follow it. */
export const PREFIX_BYTES = 7;

/** What one archive is sealed with, and nothing else ever. */
export interface ChunkKey {
    key: Buffer;
    prefix: Buffer;
    /** What is not sealed but belongs to it: it opens only beside the same. */
    associated: Buffer;
}

/**
 * The STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015): each nonce says where the chunk stands, and
 * whether it is the last.
 */
function nonceOf(prefix: Buffer, index: number, isLast: boolean): Buffer {
    const nonce = Buffer.alloc(NONCE_BYTES);
    prefix.copy(nonce);
    nonce.writeUInt32BE(index, PREFIX_BYTES);
    nonce.writeUInt8(isLast ? 1 : 0, NONCE_BYTES - 1);
    return nonce;
}

/** Seals a stream chunk by chunk. */
export async function* sealChunks(source: AsyncIterable<Buffer>, sealing: ChunkKey): AsyncGenerator<Buffer> {
    const { key, prefix, associated } = sealing;
    let index = 0;
    for await (const { piece, isLast } of inPieces(new ByteReader(source), CHUNK_BYTES)) {
        const cipher = createCipheriv(CIPHER, key, nonceOf(prefix, index++, isLast)).setAAD(associated);
        yield Buffer.concat([cipher.update(piece), cipher.final(), cipher.getAuthTag()]);
    }
}

/** @throws BACKUP_DAMAGED for chunks that were altered, moved, doubled, left out, cut off or taken from elsewhere */
export async function* openChunks(sealed: ByteReader, sealing: ChunkKey): AsyncGenerator<Buffer> {
    let index = 0;
    for await (const { piece, isLast } of inPieces(sealed, CHUNK_BYTES + TAG_BYTES)) {
        if (piece.length < TAG_BYTES) throw damaged('truncated');
        yield openChunk(piece, sealing, nonceOf(sealing.prefix, index++, isLast));
    }
}

function openChunk(chunk: Buffer, { key, associated }: ChunkKey, nonce: Buffer): Buffer {
    const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(associated).setAuthTag(chunk.subarray(-TAG_BYTES));
    const opened = decipher.update(chunk.subarray(0, -TAG_BYTES));
    try {
        return Buffer.concat([opened, decipher.final()]);
    } catch (error) {
        throw damaged('altered', error);
    }
}
