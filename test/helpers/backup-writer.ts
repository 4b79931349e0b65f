/**
 * Run by itself with a directory, a name and a number of bytes: writes a file of that many bytes into the storage of
 * that directory. It prints that it has begun, and how it ends.
 */
import { openStorage } from '../../plugins/backups/storage/index.ts';

const [folder = '', name = '', bytes = '0'] = process.argv.slice(2);

async function* content(): AsyncGenerator<Buffer> {
    process.stdout.write('begun ');
    for (let left = Number(bytes); left > 0; left -= 65_536) yield Buffer.alloc(Math.min(left, 65_536), 'x');
}

try {
    await openStorage({ BACKUP_DIR: folder, BACKUP_S3_PREFIX: '' }).write(name, content());
    process.stdout.write('written');
} catch (error) {
    const { data, cause } = error as { data?: { code?: string }; cause?: { code?: string } };
    process.stdout.write(`${data?.code} ${cause?.code}`);
}
