import type { ImageType } from './api.ts';

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const JPEG = Buffer.from([0xff, 0xd8, 0xff]);

/** What an image is by its first bytes, whatever it was sent as; null when it is none of the three. */
export function imageType(bytes: Buffer): ImageType | null {
    const begins = (magic: Buffer) => bytes.subarray(0, magic.length).equals(magic);
    if (begins(PNG)) return 'image/png';
    if (begins(JPEG)) return 'image/jpeg';
    const isWebp = bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP';
    return isWebp ? 'image/webp' : null;
}
