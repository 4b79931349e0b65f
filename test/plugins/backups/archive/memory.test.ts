import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { openArchives } from '../../../../plugins/backups/archive/index.ts';
import { BACKUP_ID, headerOf, newVault, noise, testArchives } from '../../../helpers/archive.ts';

import type { BackupStorage } from '../../../../plugins/backups/storage/index.ts';
import type { Aggregate } from '../../../../src/redis/aggregate.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const MIB = 1_024 * 1_024;
const AGGREGATE_BYTES = 256 * 1_024;
const COUNT = 800;
/** What may be on the way at once, compressed or not: some lines and chunks, and what the streams between them hold. */
const ON_THE_WAY = 4 * MIB;

/** A storage that tells how much of it has been written and read. */
function counted(storage: BackupStorage): { storage: BackupStorage; written: () => number; read: () => number } {
    let [written, read] = [0, 0];
    async function* through(source: AsyncIterable<Buffer>, add: (bytes: number) => void): AsyncGenerator<Buffer> {
        for await (const piece of source) {
            add(piece.length);
            yield piece;
        }
    }
    return {
        storage: {
            write: (name, source) =>
                storage.write(
                    name,
                    through(source, (bytes) => (written += bytes)),
                ),
            read: (name) => through(storage.read(name), (bytes) => (read += bytes)),
            stat: (name) => storage.stat(name),
            delete: (name) => storage.delete(name),
            list: (prefix) => storage.list(prefix),
        },
        written: () => written,
        read: () => read,
    };
}

describe('200 MiB of aggregates', { timeout: 240_000 }, () => {
    const { storage: directory, tenantId } = testArchives();
    const { storage, written, read } = counted(directory);
    const archives = openArchives({ storage, vault: newVault() });
    let fileBytes = 0;

    it('are asked for as fast as they are stored, and no faster', async () => {
        let [made, peak] = [0, 0];
        async function* watched(): AsyncGenerator<Aggregate> {
            for (const aggregate of noise(COUNT, AGGREGATE_BYTES)) {
                // Base64 of noise is compressed to three quarters, and hardly less or more.
                expect(made * 0.75 - written()).to.be.below(ON_THE_WAY);
                peak = Math.max(peak, process.memoryUsage().arrayBuffers);
                yield aggregate;
                made += AGGREGATE_BYTES;
            }
        }
        const before = process.memoryUsage().arrayBuffers;
        const summary = await archives.write(headerOf(tenantId), watched());
        fileBytes = summary.bytes;
        expect(fileBytes).to.be.above(140 * MIB);
        expect(summary.counts).to.equal({ thread: COUNT });
        expect(peak - before).to.be.below(100 * MIB);
    });

    it('are read as fast as they are taken, and no faster', async () => {
        let [taken, count] = [0, 0];
        for await (const { values } of archives.read(tenantId, BACKUP_ID)) {
            // The first pass, of `verify`, has read all of it once.
            if (count === 0) expect(read()).to.be.within(fileBytes, fileBytes + ON_THE_WAY);
            expect(read() - fileBytes - taken * 0.75).to.be.below(ON_THE_WAY);
            const [value] = Object.values(values);
            if (value?.type !== 'string' || typeof value.value !== 'string') throw new Error('Not what was written');
            taken += value.value.length;
            count += 1;
        }
        expect(count).to.equal(COUNT);
        expect(read()).to.equal(2 * fileBytes);
    });
});
