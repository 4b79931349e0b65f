import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { openStorage, type BackupStorage } from '../../../../plugins/backups/storage/index.ts';
import { packageRoot } from '../../../../src/package-root.ts';
import { collect, refusal, streamOf } from '../../../helpers/archive.ts';
import { temporaryFolder } from '../../../helpers/folder.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const NAME = 'tenant_1/backup_1.archive';

function directory(): { storage: BackupStorage; folder: string; files: () => string[] } {
    const folder = join(temporaryFolder(), 'some', 'backups');
    const storage = openStorage({ BACKUP_DIR: folder, BACKUP_S3_PREFIX: '' });
    return { storage, folder, files: () => readdirSync(join(folder, 'tenant_1')) };
}

const text = (...pieces: string[]): AsyncIterable<Buffer> => streamOf(pieces.map((piece) => Buffer.from(piece)));
const read = async (storage: BackupStorage, name = NAME): Promise<string> =>
    Buffer.concat(await collect(storage.read(name))).toString();

/** A process that writes a file of that many bytes, through a shell that limits it first. */
function writer(folder: string, bytes: number, limit = ':') {
    const program = join(packageRoot(), 'dist/test/helpers/backup-writer.js');
    const command = `${limit}; exec "$0" "$1" "$2" "$3" "$4"`;
    const child = spawn('sh', ['-c', command, process.execPath, program, folder, NAME, String(bytes)], {
        env: { PATH: process.env['PATH'] },
        stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    return { child, end: once(child, 'close').then(() => output) };
}

describe('DirectoryStorage.write', () => {
    it('keeps the bytes in a file that only its owner may read', async () => {
        const { storage, folder } = directory();
        await storage.write(NAME, text('one', '', 'two'));
        expect(await read(storage)).to.equal('onetwo');
        expect(await storage.stat(NAME)).to.equal({ name: NAME, bytes: 6 });
        expect(statSync(join(folder, NAME)).mode & 0o777).to.equal(0o600);
        for (const made of [folder, join(folder, 'tenant_1')]) expect(statSync(made).mode & 0o777).to.equal(0o700);
    });

    it('shows nothing under the name, and nothing in the list, until all is written', async () => {
        const { storage, files } = directory();
        async function* watched(): AsyncGenerator<Buffer> {
            yield Buffer.from('first');
            expect(await storage.stat(NAME)).to.be.null();
            expect(await collect(storage.list(''))).to.equal([]);
            expect(files().length).to.equal(1);
            yield Buffer.from('second');
        }
        await storage.write(NAME, watched());
        expect(files()).to.equal(['backup_1.archive']);
    });

    it('throws what its source throws, and leaves nothing', async () => {
        const { storage, files } = directory();
        const failure = new Error('no more');
        async function* failing(): AsyncGenerator<Buffer> {
            yield Buffer.alloc(200_000);
            throw failure;
        }
        const error = await storage.write(NAME, failing()).catch((thrown: unknown) => thrown);
        expect(error).to.shallow.equal(failure);
        expect(files()).to.equal([]);
    });

    it('replaces a file as a whole; of two writers at once one is there, and whole', async () => {
        const { storage, files } = directory();
        await storage.write(NAME, text('old'));
        const contents = Array.from({ length: 8 }, (_, index) => String(index).repeat(300_000));
        await Promise.all(contents.map((content) => storage.write(NAME, text(content.slice(9), content.slice(0, 9)))));
        expect(contents).to.include(await read(storage));
        expect(files()).to.equal(['backup_1.archive']);
    });

    it('says that the storage is unavailable when there is no room, and leaves nothing', async () => {
        const { storage, folder, files } = directory();
        await storage.write(NAME, text('old'));
        // A limit on the size of files fails a write in the middle, as a disk that is full does.
        expect(await writer(folder, 4_000_000, 'ulimit -f 1000').end).to.equal(
            'begun BACKUP_STORAGE_UNAVAILABLE EFBIG',
        );
        expect(files()).to.equal(['backup_1.archive']);
        expect(await read(storage)).to.equal('old');
    });

    it('says that the storage is unavailable when its directory cannot be made', async () => {
        const file = join(temporaryFolder(), 'file');
        writeFileSync(file, '');
        const storage = openStorage({ BACKUP_DIR: file, BACKUP_S3_PREFIX: '' });
        await refusal(storage.write(NAME, text('x')), 'BACKUP_STORAGE_UNAVAILABLE');
        await refusal(storage.stat(NAME), 'BACKUP_STORAGE_UNAVAILABLE');
        await refusal(collect(storage.read(NAME)), 'BACKUP_STORAGE_UNAVAILABLE');
        await refusal(storage.delete(NAME), 'BACKUP_STORAGE_UNAVAILABLE');
        await refusal(collect(storage.list('')), 'BACKUP_STORAGE_UNAVAILABLE');
    });

    it('leaves no file under the name when its process is killed in the middle', async () => {
        const { storage, folder, files } = directory();
        const { child, end } = writer(folder, 1e12, 'ulimit -f 4000000');
        const draft = () => existsSync(join(folder, 'tenant_1')) && files()[0];
        const written = () => (draft() ? statSync(join(folder, 'tenant_1', String(draft()))).size : 0);
        while (written() < 1_000_000) await sleep(5);
        child.kill('SIGKILL');
        expect(await end).to.equal('begun ');
        expect(await storage.stat(NAME)).to.be.null();
        expect(await collect(storage.list(''))).to.equal([]);
        expect(files().length).to.equal(1);

        await storage.write(NAME, text('again'));
        expect(await read(storage)).to.equal('again');
        // Its draft goes with the next write when it has not grown for an hour.
        expect(files().length).to.equal(2);
        const left = files().find((name) => name.endsWith('.draft'));
        const hourAgo = Date.now() / 1_000 - 3_601;
        utimesSync(join(folder, 'tenant_1', String(left)), hourAgo, hourAgo);
        await storage.write('tenant_1/backup_2.archive', text('x'));
        expect(files().toSorted()).to.equal(['backup_1.archive', 'backup_2.archive']);
    });
});

describe('a process that is killed while it writes', () => {
    it('leaves the whole file or none, at whatever moment that is', async () => {
        const bytes = 3_000_000;
        for (let round = 0; round < 12; round++) {
            const { storage, folder } = directory();
            const { child, end } = writer(folder, bytes);
            await once(child.stdout, 'data');
            await sleep(round * 2);
            child.kill('SIGKILL');
            await end;
            const found = await storage.stat(NAME);
            expect([undefined, bytes]).to.include(found?.bytes);
        }
    });
});

describe('DirectoryStorage.read', () => {
    it('gives some at a time, and nothing when there is none', async () => {
        const { storage } = directory();
        await storage.write(NAME, text('x'.repeat(200_000)));
        const pieces = await collect(storage.read(NAME));
        expect(Math.max(...pieces.map(({ length }) => length))).to.be.at.most(65_536);
        expect(Buffer.concat(pieces).length).to.equal(200_000);
        expect(await collect(storage.read('tenant_1/backup_2.archive'))).to.equal([]);
        expect(await storage.stat('tenant_2/backup_1.archive')).to.be.null();
    });

    it('does not follow a link that stands under the name', async () => {
        const { storage, folder } = directory();
        await storage.write(NAME, text('x'));
        symlinkSync('/etc/hostname', join(folder, 'tenant_1', 'backup_2.archive'));
        await refusal(collect(storage.read('tenant_1/backup_2.archive')), 'BACKUP_STORAGE_UNAVAILABLE');
    });
});

describe('DirectoryStorage.list', () => {
    it('gives the files of a folder, or all, and nothing that is no archive', async () => {
        const { storage, folder } = directory();
        expect(await collect(storage.list(''))).to.equal([]);
        await storage.write(NAME, text('1'));
        await storage.write('tenant_1/backup_2.archive', text('22'));
        await storage.write('tenant_2/backup_1.archive', text('333'));
        writeFileSync(join(folder, 'notes'), '');
        writeFileSync(join(folder, 'tenant_2', '.hidden.archive'), '');
        mkdirSync(join(folder, 'tenant_2', 'folder.archive'));
        const [one, two, three] = [
            { name: NAME, bytes: 1 },
            { name: 'tenant_1/backup_2.archive', bytes: 2 },
            { name: 'tenant_2/backup_1.archive', bytes: 3 },
        ];
        expect((await collect(storage.list(''))).toSorted((a, b) => a.bytes - b.bytes)).to.equal([one, two, three]);
        expect(await collect(storage.list('tenant_2/'))).to.equal([three]);
        expect(await collect(storage.list('tenant_3/'))).to.equal([]);
    });
});

describe('DirectoryStorage.delete', () => {
    it('takes the file away, and may be called again', async () => {
        const { storage, files } = directory();
        await storage.write(NAME, text('x'));
        await storage.delete(NAME);
        await storage.delete(NAME);
        expect(files()).to.equal([]);
        await storage.delete('tenant_9/backup_1.archive');
    });
});

describe('names of the storage', () => {
    const odd = [
        '',
        'backup.archive',
        '../backup.archive',
        'tenant_1/../backup.archive',
        '/etc/passwd.archive',
        'tenant_1/..',
        'tenant_1/.',
        'tenant_1/.hidden.archive',
        '.tenant/backup.archive',
        'tenant_1/backup',
        'tenant_1/a/b.archive',
        'tenant_1//b.archive',
        'tenant_1\\b.archive',
        'tenant_1/b\\c.archive',
        'tenant_1/b\0.archive',
        'tenant_1/b.archive\n',
        'tenant_1/b.archive/',
        'tenant_1/b .archive',
        'tenant_1/%2e%2e.archive',
        'tenant_1/ü.archive',
        `tenant_1/${'a'.repeat(200)}.archive`,
    ];

    it('are refused, by every function, when they might lead elsewhere', async () => {
        const { storage, folder } = directory();
        for (const name of odd) {
            await expect(storage.write(name, text('x'))).to.reject(/not the name of a file/);
            await expect(collect(storage.read(name))).to.reject(/not the name of a file/);
            await expect(storage.stat(name)).to.reject(/not the name of a file/);
            await expect(storage.delete(name)).to.reject(/not the name of a file/);
        }
        for (const prefix of ['/', '../', 'a/b/', './', 'a\0/', '..//'] as const) {
            await expect(collect(storage.list(prefix))).to.reject(/not a folder/);
        }
        expect(existsSync(folder)).to.be.false();
    });
});
