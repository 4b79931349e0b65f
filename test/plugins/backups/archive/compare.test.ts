import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import {
    BACKUP_ID,
    headerOf,
    noise,
    OTHER_BACKUP_ID,
    refusal,
    SAMPLE,
    streamOf,
    testArchives,
} from '../../../helpers/archive.ts';

import type { Aggregate } from '../../../../src/redis/aggregate.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const text = (kind: string, id: string, value: string): Aggregate => ({
    kind,
    id,
    values: { [`${kind}:${id}`]: { type: 'string', value } },
});

/** What two archives with those aggregates differ in. */
async function compare(first: Iterable<Aggregate>, second: Iterable<Aggregate>) {
    const { archives, tenantId } = testArchives();
    await archives.write(headerOf(tenantId), streamOf(first));
    await archives.write(headerOf(tenantId, OTHER_BACKUP_ID), streamOf(second));
    return archives.compare(tenantId, BACKUP_ID, OTHER_BACKUP_ID);
}

describe('Archives.compare', () => {
    it('counts by kind what is new, gone, changed and the same', async () => {
        const first = [text('user', '1', 'a'), text('user', '2', 'b'), text('thread', '1', 'a'), text('key', '1', 'a')];
        const second = [
            text('thread', '1', 'a'),
            text('thread', '2', 'a'),
            text('user', '2', 'c'),
            text('vm', '1', ''),
        ];
        expect(await compare(first, second)).to.equal({
            added: { thread: 1, vm: 1 },
            removed: { user: 1, key: 1 },
            changed: { user: 1 },
            unchanged: { thread: 1 },
        });
    });

    it('finds no difference in the same data in another order', async () => {
        expect(await compare(SAMPLE, SAMPLE.toReversed())).to.equal({
            added: {},
            removed: {},
            changed: {},
            unchanged: { thread: 1, user: 2 },
        });
    });

    it('knows everything new beside an archive with nothing in it', async () => {
        expect((await compare([], SAMPLE)).added).to.equal({ thread: 1, user: 2 });
        expect((await compare(SAMPLE, [])).removed).to.equal({ thread: 1, user: 2 });
    });

    it('tells thousands of aggregates from one another', async () => {
        const many = [...noise(3_000, 40)];
        const later = many.map((aggregate, index) => (index % 3 === 0 ? { ...aggregate, values: {} } : aggregate));
        const difference = await compare(many, [...later.slice(600), ...noise(50, 40, 'user')]);
        expect(difference).to.equal({
            added: { user: 50 },
            removed: { thread: 600 },
            changed: { thread: 800 },
            unchanged: { thread: 1_600 },
        });
    });

    it('refuses when one of them is damaged or missing', async () => {
        const { archives, tenantId, bytes, put } = testArchives();
        await archives.write(headerOf(tenantId), streamOf(SAMPLE));
        expect(await refusal(archives.compare(tenantId, BACKUP_ID, OTHER_BACKUP_ID), 'BACKUP_DAMAGED')).to.equal(
            'missing',
        );
        await archives.write(headerOf(tenantId, OTHER_BACKUP_ID), streamOf(SAMPLE));
        put(bytes(OTHER_BACKUP_ID).subarray(0, -1), OTHER_BACKUP_ID);
        await refusal(archives.compare(tenantId, BACKUP_ID, OTHER_BACKUP_ID), 'BACKUP_DAMAGED');
        await refusal(archives.compare(tenantId, OTHER_BACKUP_ID, BACKUP_ID), 'BACKUP_DAMAGED');
    });
});
