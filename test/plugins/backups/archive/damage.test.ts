import { randomInt } from 'node:crypto';
import { gzipSync } from 'node:zlib';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { writeFile } from '../../../../plugins/backups/archive/archive-file.ts';
import { openArchives } from '../../../../plugins/backups/archive/index.ts';
import { LineTally, writeLines } from '../../../../plugins/backups/archive/lines.ts';
import { newPreamble } from '../../../../plugins/backups/archive/preamble.ts';
import { sealChunks } from '../../../../plugins/backups/archive/sealed-chunks.ts';
import { isApiError } from '../../../../src/http/errors.ts';
import {
    BACKUP_ID,
    collect,
    headerOf,
    noise,
    OTHER_BACKUP_ID,
    refusal,
    storageOf,
    streamOf,
    testArchives,
    type TestArchives,
} from '../../../helpers/archive.ts';

export const lab = Lab.script();
const { describe, it, before } = lab;

const SEALED_BYTES = 64 * 1_024 + 16;
const CODES: unknown[] = ['BACKUP_DAMAGED', 'BACKUP_FOREIGN', 'BACKUP_TOO_NEW'];

/** Where the chunks of an archive begin. */
const firstChunk = (file: Buffer): number => 13 + file.readUInt32BE(9);

function turned(file: Buffer, bit: number): Buffer {
    const copy = Buffer.from(file);
    copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    return copy;
}

/** What stands in front, and each chunk. */
function partsOf(file: Buffer): Buffer[] {
    const parts = [file.subarray(0, firstChunk(file))];
    for (let at = firstChunk(file); at < file.length; at += SEALED_BYTES)
        parts.push(file.subarray(at, at + SEALED_BYTES));
    return parts;
}

describe('an archive that is not as it was written', () => {
    let test: TestArchives;
    let whole: Buffer;
    let parts: Buffer[];
    before(async () => {
        test = testArchives();
        await test.archives.write(headerOf(test.tenantId), streamOf(noise(6, 70_000)));
        whole = test.bytes();
        parts = partsOf(whole);
        expect(parts.length).to.be.above(5);
    });

    /** The error with which that file is refused in place of the archive. */
    async function refused(file: Buffer): Promise<string> {
        test.put(file);
        const error = await test.archives.verify(test.tenantId, BACKUP_ID).catch((thrown: unknown) => thrown);
        if (!isApiError(error)) throw error;
        return String(error.data?.code);
    }

    async function isTaken(): Promise<boolean> {
        test.put(whole);
        return (await test.archives.verify(test.tenantId, BACKUP_ID)).bytes === whole.length;
    }

    it('is refused for one turned bit, wherever it is', async () => {
        const anywhere = Array.from({ length: 200 }, () => randomInt(whole.length));
        for (const at of [0, firstChunk(whole), ...anywhere, whole.length - 1]) {
            expect(CODES, `byte ${at}`).to.include(await refused(turned(whole, at * 8 + randomInt(8))));
        }
        expect(await isTaken()).to.be.true();
    });

    it('is refused for any turned bit of a small one', async () => {
        const { archives, vault, tenantId, bytes } = testArchives();
        await archives.write(headerOf(tenantId), streamOf([]));
        const small = bytes();
        let file = small;
        const storage = storageOf(...Array.from({ length: small.length * 8 + 1 }, () => () => streamOf([file])));
        const inMemory = openArchives({ storage, vault });
        for (let bit = 0; bit < small.length * 8; bit++) {
            file = turned(small, bit);
            const error = await inMemory.verify(tenantId, BACKUP_ID).catch((thrown: unknown) => thrown);
            expect(CODES, `bit ${bit}`).to.include(isApiError(error) ? error.data?.code : String(error));
        }
        file = small;
        expect((await inMemory.verify(tenantId, BACKUP_ID)).bytes).to.equal(small.length);
    });

    it('is refused when it is cut, at every end of a chunk and anywhere else', async () => {
        const ends = parts.map((_, index) => parts.slice(0, index).reduce((sum, { length }) => sum + length, 0));
        const anywhere = Array.from({ length: 100 }, () => randomInt(whole.length));
        for (const end of [...ends, ...anywhere, 1, 8, 12, whole.length - 1, whole.length - 16]) {
            expect(await refused(whole.subarray(0, end)), `at ${end}`).to.equal('BACKUP_DAMAGED');
        }
    });

    it('is refused when something stands behind it', async () => {
        const last = parts.at(-1) ?? Buffer.alloc(0);
        for (const more of [Buffer.from([0]), Buffer.from('\n'), last, whole]) {
            expect(await refused(Buffer.concat([whole, more]))).to.equal('BACKUP_DAMAGED');
        }
    });

    it('is refused when chunks are in another order, doubled or left out', async () => {
        const [front, first, second, ...others] = parts as [Buffer, Buffer, Buffer, ...Buffer[]];
        const middle = others.slice(0, -1);
        const last = others.at(-1) ?? front;
        const wrong = [
            [front, second, first, ...others],
            [front, first, first, second, ...others],
            [front, first, ...others],
            [front, second, ...others],
            [front, first, second, ...others, last],
            [front, first, second, ...middle],
            [front, first, last],
            [front, last],
            [front],
        ];
        for (const pieces of wrong) expect(await refused(Buffer.concat(pieces))).to.equal('BACKUP_DAMAGED');
        expect(await isTaken()).to.be.true();
    });

    it('is refused when chunks are those of another archive of the same name, tenant and key', async () => {
        const twin = testArchives(test.vault);
        const file = writeFile(test.vault, headerOf(test.tenantId), streamOf(noise(6, 70_000)));
        await twin.storage.write(`${test.tenantId}/${BACKUP_ID}.archive`, file.body);
        const name = `${test.tenantId}/${BACKUP_ID}.archive`;
        const foreign = partsOf(Buffer.concat(await collect(twin.storage.read(name))));
        expect(foreign.length).to.equal(parts.length);
        for (let at = 0; at < parts.length; at++) {
            const spliced = Buffer.concat(parts.with(at, foreign[at] ?? Buffer.alloc(0)));
            expect(await refused(spliced), `part ${at}`).to.equal('BACKUP_DAMAGED');
        }
        test.put(Buffer.concat(foreign));
        expect((await test.archives.verify(test.tenantId, BACKUP_ID)).counts).to.equal({ thread: 6 });
    });

    it('is refused as too new when it is of a newer format', async () => {
        expect(await refused(Buffer.concat([whole.subarray(0, 8), Buffer.from([2]), whole.subarray(9)]))).to.equal(
            'BACKUP_TOO_NEW',
        );
        expect(await refused(Buffer.concat([whole.subarray(0, 8), Buffer.from([255])]))).to.equal('BACKUP_DAMAGED');
    });

    it('is refused when it claims to be another backup, in words of the same length', async () => {
        await test.archives.write(headerOf(test.tenantId, OTHER_BACKUP_ID), streamOf(noise(1, 100)));
        const other = test.bytes(OTHER_BACKUP_ID);
        const later = OTHER_BACKUP_ID.replace('-2', '-3');
        test.put(Buffer.from(other.toString('latin1').replace(OTHER_BACKUP_ID, later), 'latin1'), later);
        const verified = test.archives.verify(test.tenantId, later);
        expect(await refusal(verified, 'BACKUP_DAMAGED')).to.equal('unopened');
    });
});

describe('an archive with lines that are not right', () => {
    const { archives, vault, storage, tenantId } = testArchives();
    const name = `${tenantId}/${BACKUP_ID}.archive`;

    /** Seals those bytes as the lines of an archive, with the right key for its place. */
    async function seal(content: Buffer): Promise<void> {
        const { bytes, sealing } = newPreamble(vault, { tenantId, backupId: BACKUP_ID });
        const chunks = await collect(sealChunks(streamOf([content]), sealing));
        await storage.write(name, streamOf([bytes, ...chunks]));
    }

    const linesOf = async (header = headerOf(tenantId)): Promise<string[]> => {
        const lines = await collect(writeLines(header, streamOf(noise(3, 50)), new LineTally()));
        return lines.map(String);
    };

    const verifyLines = async (lines: string[]) => {
        await seal(gzipSync(lines.join('')));
        return archives.verify(tenantId, BACKUP_ID);
    };

    it('is taken with the lines that its writer makes', async () => {
        expect((await verifyLines(await linesOf())).counts).to.equal({ thread: 3 });
    });

    it('is refused as too new for a newer schema, whatever else is in it', async () => {
        const newer = { ...headerOf(tenantId), schemaVersion: 2 };
        await refusal(verifyLines(await linesOf(newer)), 'BACKUP_TOO_NEW');
        await refusal(verifyLines(['{"line":"header","schemaVersion":7}\n', 'something\n']), 'BACKUP_TOO_NEW');
    });

    it('is refused as foreign when its first line names another place', async () => {
        const other = headerOf(tenantId, OTHER_BACKUP_ID);
        await refusal(verifyLines(await linesOf(other)), 'BACKUP_FOREIGN');
        await refusal(verifyLines(await linesOf(headerOf('tenant_2'))), 'BACKUP_FOREIGN');
    });

    it('is refused when lines are missing, more, or in another order', async () => {
        const [header = '', one = '', two = '', three = '', footer = ''] = await linesOf();
        const wrong = {
            truncated: [
                [],
                [header],
                [header, one],
                [header, one, two, three],
                [header, one, two, three, footer.trim()],
                [header, one, two, three, footer, '{}'],
            ],
            altered: [
                [one, two, three, footer],
                [header, header, one, two, three, footer],
                [header, one, two, footer],
                [header, two, one, three, footer],
                [header, one, two, three, three, footer],
                [header, one, two, three, footer, footer],
                [header, one, two, three, footer.replace('3', '4')],
                ['\n', header, one, two, three, footer],
                [header, one, two, three, '{"line":"unknown"}\n', footer],
            ],
        };
        for (const [reason, files] of Object.entries(wrong)) {
            for (const lines of files) {
                expect(await refusal(verifyLines(lines), 'BACKUP_DAMAGED'), lines.join('')).to.equal(reason);
            }
        }
    });

    it('is refused for aggregates that are none', async () => {
        const [header = ''] = await linesOf();
        const values = ['[]', 'null', '{"a":1}', '{"a":{"type":"set"}}', '{"a":{"type":"hash","members":[]}}'];
        const odd = values.map((value) => `{"line":"aggregate","kind":"k","id":"i","values":${value}}\n`);
        odd.push('{"line":"aggregate","kind":1,"id":"i","values":{}}\n', '{"line":"aggregate","values":{}}\n', '[]\n');
        odd.push('{"line":"aggregate","kind":"k","id":"i","values":{"a":{"type":"constructor"}}}\n', 'no JSON\n');
        for (const line of odd) {
            expect(await refusal(verifyLines([header, line]), 'BACKUP_DAMAGED'), line).to.equal('altered');
        }
    });

    it('is refused for a first line that is no header', async () => {
        for (const header of ['{"line":"header"}\n', '{"line":"header","schemaVersion":1}\n', '7\n']) {
            expect(await refusal(verifyLines([header]), 'BACKUP_DAMAGED'), header).to.equal('altered');
        }
    });

    it('is refused when it is not compressed, or its compression is cut', async () => {
        const lines = Buffer.from((await linesOf()).join(''));
        for (const content of [lines, Buffer.alloc(0), gzipSync(lines).subarray(0, -9)]) {
            await seal(content);
            await refusal(archives.verify(tenantId, BACKUP_ID), 'BACKUP_DAMAGED');
        }
    });
});
