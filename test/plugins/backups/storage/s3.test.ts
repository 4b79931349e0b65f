import { randomBytes } from 'node:crypto';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { openArchives } from '../../../../plugins/backups/archive/index.ts';
import { openStorage } from '../../../../plugins/backups/storage/index.ts';
import { S3Storage } from '../../../../plugins/backups/storage/s3.ts';
import { isApiError } from '../../../../src/http/errors.ts';
import {
    BACKUP_ID,
    collect,
    headerOf,
    newVault,
    refusal,
    SAMPLE,
    streamOf,
    testArchives,
} from '../../../helpers/archive.ts';
import { startS3, type TestS3 } from '../../../helpers/s3.ts';

import type { BackupStorage } from '../../../../plugins/backups/storage/index.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const NAME = 'tenant_1/backup_1.archive';
const KEY = `some/place/${NAME}`;
const MIB = 1_024 * 1_024;
const large = randomBytes(20 * MIB + 17);

describe('S3Storage', () => {
    let s3: TestS3;
    let storage: BackupStorage;
    before(async () => {
        s3 = await startS3();
    });
    after(() => s3.stop());
    beforeEach(() => {
        s3.clear();
        storage = opened({ connect: 5_000, attempt: 30_000, bytes: 30_000 });
    });

    const opened = (limits: { connect: number; attempt: number; bytes: number }): BackupStorage =>
        new S3Storage({ bucket: s3.bucket, endpoint: s3.endpoint, prefix: 'some/place/', limits });
    /** For a server that says nothing. */
    const impatient = (): BackupStorage => opened({ connect: 5_000, attempt: 400, bytes: 30_000 });
    /** For one that stops in the middle of an object. */
    const brisk = (): BackupStorage => opened({ connect: 5_000, attempt: 30_000, bytes: 500 });
    const pieces = function* (content: Buffer, size = 100_000): Generator<Buffer> {
        for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
    };
    const read = async (from = storage): Promise<Buffer> => Buffer.concat(await collect(from.read(NAME)));

    describe('write', () => {
        it('puts what is small at once, with a signature that is right', async () => {
            await storage.write(NAME, streamOf([Buffer.from('one'), Buffer.from('two')]));
            expect(s3.objects.get(KEY)?.toString()).to.equal('onetwo');
            expect(s3.requests).to.equal(['PUT object']);
            expect((await read()).toString()).to.equal('onetwo');
        });

        it('puts what is large part by part, and shows it when it is whole', async () => {
            let asked = 0;
            async function* watched(): AsyncGenerator<Buffer> {
                for (const piece of pieces(large)) {
                    asked += piece.length;
                    const stored = [...s3.uploads.values()].flatMap((parts) => [...parts.values()]);
                    const bytes = stored.reduce((sum, { length }) => sum + length, 0);
                    // What was asked for and is not stored yet is in memory: a part, and a piece more.
                    expect(asked - bytes).to.be.at.most(8 * MIB + 100_000);
                    expect(s3.objects.size).to.equal(0);
                    yield piece;
                }
            }
            await storage.write(NAME, watched());
            expect(s3.requests).to.equal(['POST uploads', 'PUT part', 'PUT part', 'PUT part', 'POST complete']);
            expect(s3.objects.get(KEY)?.equals(large)).to.be.true();
            expect(s3.uploads.size).to.equal(0);
            expect((await read()).equals(large)).to.be.true();
        });

        it('throws what its source throws, and aborts the parts', async () => {
            const failure = new Error('no more');
            async function* failing(): AsyncGenerator<Buffer> {
                yield* pieces(large);
                throw failure;
            }
            const error = await storage.write(NAME, failing()).catch((thrown: unknown) => thrown);
            expect(error).to.shallow.equal(failure);
            expect(s3.requests).to.include('PUT part');
            expect(s3.requests.at(-1)).to.equal('DELETE upload');
            expect([s3.objects.size, s3.uploads.size]).to.equal([0, 0]);
        });

        it('tries again what fails once', async () => {
            for (const request of ['POST uploads', 'PUT part', 'POST complete']) s3.fail(request, 'error');
            s3.fail('PUT part', 'cut');
            await storage.write(NAME, streamOf(pieces(large)));
            expect((await read()).equals(large)).to.be.true();
            s3.fail('PUT object', 'error');
            s3.fail('PUT object', 'cut');
            await storage.write(NAME, streamOf([Buffer.from('small')]));
            expect((await read()).toString()).to.equal('small');
            expect(s3.uploads.size).to.equal(0);
        });

        it('gives up after three attempts, and leaves nothing', async () => {
            for (const request of ['POST uploads', 'PUT part', 'POST complete']) {
                s3.fail(request, 'error', 3);
                await refusal(storage.write(NAME, streamOf(pieces(large))), 'BACKUP_STORAGE_UNAVAILABLE');
                expect(s3.requests.filter((asked) => asked === request).length).to.equal(3);
                expect([s3.objects.size, s3.uploads.size]).to.equal([0, 0]);
                s3.requests.length = 0;
            }
        });

        it('gives up a server that says nothing', async () => {
            s3.fail('PUT object', 'silent', 3);
            await refusal(impatient().write(NAME, streamOf([Buffer.from('x')])), 'BACKUP_STORAGE_UNAVAILABLE');
            expect(s3.requests.length).to.equal(3);
            s3.fail('POST uploads', 'silent body');
            await refusal(impatient().write(NAME, streamOf(pieces(large))), 'BACKUP_STORAGE_UNAVAILABLE');
        });

        it('replaces an object as a whole; of two writers at once one is there, and whole', async () => {
            const contents = [large, Buffer.from(large).fill('x'), Buffer.from('small'), Buffer.from('other')];
            await Promise.all(contents.map((content) => storage.write(NAME, streamOf(pieces(content)))));
            const found = await read();
            expect(contents.filter((content) => content.equals(found)).length).to.equal(1);
            expect(s3.uploads.size).to.equal(0);
        });
    });

    describe('read', () => {
        beforeEach(() => {
            s3.objects.set(KEY, large);
        });

        it('goes on where the connection was cut, or was silent', async () => {
            s3.fail('GET object', 'cut body', 2);
            s3.fail('GET object', 'silent body');
            expect((await read(brisk())).equals(large)).to.be.true();
            expect(s3.requests.length).to.be.at.least(4);
        });

        it('does not go on with another object', async () => {
            s3.fail('GET object', 'cut body');
            const reading = storage.read(NAME)[Symbol.asyncIterator]();
            expect((await reading.next()).done).to.be.false();
            s3.objects.set(KEY, randomBytes(large.length));
            const rest = (async () => {
                while (!(await reading.next()).done);
            })();
            await refusal(rest, 'BACKUP_STORAGE_UNAVAILABLE');
        });

        it('fails when the object is deleted in the middle', async () => {
            s3.fail('GET object', 'cut body');
            const reading = storage.read(NAME)[Symbol.asyncIterator]();
            await reading.next();
            s3.objects.clear();
            const rest = (async () => {
                while (!(await reading.next()).done);
            })();
            await refusal(rest, 'BACKUP_STORAGE_UNAVAILABLE');
        });

        it('fails when the server fails three times, or has stopped to send', async () => {
            s3.fail('GET object', 'error', 3);
            await refusal(read(), 'BACKUP_STORAGE_UNAVAILABLE');
            s3.objects.set(KEY, Buffer.from('x'));
            s3.fail('GET object', 'silent body', 3);
            await refusal(read(brisk()), 'BACKUP_STORAGE_UNAVAILABLE');
        });

        it('waits for a slow reader', async () => {
            let bytes = 0;
            for await (const piece of brisk().read(NAME)) {
                if (bytes === 0) await new Promise((resolve) => setTimeout(resolve, 1_200));
                bytes += piece.length;
            }
            expect(bytes).to.equal(large.length);
            expect(s3.requests).to.equal(['GET object']);
        });

        it('ends the request when it is left early', async () => {
            for await (const piece of storage.read(NAME)) {
                expect(piece.length).to.be.below(MIB);
                break;
            }
            expect(s3.requests).to.equal(['GET object']);
        });

        it('gives nothing of an object that is not there', async () => {
            s3.objects.clear();
            expect(await collect(storage.read(NAME))).to.equal([]);
        });
    });

    describe('stat, delete and list', () => {
        it('tell what there is', async () => {
            const names = ['tenant_1/a.archive', 'tenant_1/b.archive', 'tenant_1/c.archive', 'tenant_2/a.archive'];
            for (const name of names) await storage.write(name, streamOf([Buffer.from(name)]));
            s3.objects.set('elsewhere/tenant_1/d.archive', Buffer.from('x'));
            s3.objects.set('some/place/notes', Buffer.from('x'));
            expect(await storage.stat('tenant_1/a.archive')).to.equal({ name: 'tenant_1/a.archive', bytes: 18 });
            expect((await collect(storage.list(''))).map(({ name }) => name)).to.equal(names);
            expect(await collect(storage.list('tenant_2/'))).to.equal([{ name: 'tenant_2/a.archive', bytes: 18 }]);
            await storage.delete('tenant_1/a.archive');
            await storage.delete('tenant_1/a.archive');
            expect(await storage.stat('tenant_1/a.archive')).to.be.null();
            expect((await collect(storage.list('tenant_1/'))).length).to.equal(2);
        });

        it('refuse names that are none, without a call', async () => {
            for (const name of [
                '../x.archive',
                '/x/y.archive',
                'a/../b.archive',
                'a/b\0.archive',
                'a?b/c.archive',
                '',
            ]) {
                await expect(storage.write(name, streamOf([]))).to.reject(/not the name of a file/);
                await expect(collect(storage.read(name))).to.reject(/not the name of a file/);
                await expect(storage.stat(name)).to.reject(/not the name of a file/);
                await expect(storage.delete(name)).to.reject(/not the name of a file/);
            }
            await expect(collect(storage.list('../'))).to.reject(/not a folder/);
            expect(s3.requests).to.equal([]);
        });

        it('fail when the server does', async () => {
            for (const request of ['HEAD', 'DELETE', 'GET list']) s3.fail(request, 'error', 3);
            await refusal(storage.stat(NAME), 'BACKUP_STORAGE_UNAVAILABLE');
            await refusal(storage.delete(NAME), 'BACKUP_STORAGE_UNAVAILABLE');
            await refusal(collect(storage.list('')), 'BACKUP_STORAGE_UNAVAILABLE');
        });
    });

    describe('the bucket', () => {
        const config = () => ({
            BACKUP_DIR: '/nowhere',
            BACKUP_S3_BUCKET: s3.bucket,
            BACKUP_S3_ENDPOINT: s3.endpoint,
            BACKUP_S3_PREFIX: '',
        });

        it('is that of the settings, and holds archives', async () => {
            const { tenantId } = testArchives();
            const archives = openArchives({ storage: openStorage(config()), vault: newVault() });
            const written = await archives.write(headerOf(tenantId), streamOf(SAMPLE));
            expect([...s3.objects.keys()]).to.equal([`${tenantId}/${BACKUP_ID}.archive`]);
            expect(await archives.verify(tenantId, BACKUP_ID)).to.equal(written);
            expect(await collect(archives.read(tenantId, BACKUP_ID))).to.equal(SAMPLE);
        });

        it('is not taken for an archive that is missing when it is away, or not ours', async () => {
            const write = (changes: object) => openStorage({ ...config(), ...changes }).write(NAME, streamOf([large]));
            await refusal(write({ BACKUP_S3_BUCKET: 'another-bucket' }), 'BACKUP_STORAGE_UNAVAILABLE');
            const other = openStorage({ ...config(), BACKUP_S3_BUCKET: 'another-bucket' });
            await refusal(collect(other.read(NAME)), 'BACKUP_STORAGE_UNAVAILABLE');
            await refusal(write({ BACKUP_S3_ENDPOINT: 'http://127.0.0.1:1' }), 'BACKUP_STORAGE_UNAVAILABLE');
            process.env['AWS_SECRET_ACCESS_KEY'] = 'another secret';
            const error = await write({}).catch((thrown: unknown) => thrown);
            expect(isApiError(error, 'BACKUP_STORAGE_UNAVAILABLE')).to.be.true();
            expect((error as { cause?: Error }).cause?.name).to.equal('SignatureDoesNotMatch');
        });
    });
});
