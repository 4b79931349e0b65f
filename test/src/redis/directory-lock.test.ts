import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { lockDirectory } from '../../../src/redis/directory-lock.ts';
import { temporaryFolder } from '../../helpers/folder.ts';

export const lab = Lab.script();
const { describe, it, before } = lab;

const LOCK_MODULE = new URL('../../../src/redis/directory-lock.js', import.meta.url).href;

/** Locks the folders, each at a time of its own that all processes share, and keeps them until it is killed. */
const HOLDER = `
import { lockDirectory } from '${LOCK_MODULE}';
const [from, ...folders] = process.argv.slice(1);
const won = folders.map((folder, number) => {
    while (Date.now() < Number(from) + 10 * number);
    try {
        lockDirectory(folder);
        return true;
    } catch {
        return false;
    }
});
console.log(JSON.stringify(won));
setInterval(() => {}, 1000);`;

/** A process that asked for the folders, one after the other; `won` says which it has. */
async function holder(from: number, folders: string[]) {
    const arguments_ = ['--input-type=module', '-e', HOLDER, String(from), ...folders];
    const child = spawn(process.execPath, arguments_, { stdio: ['ignore', 'pipe', 'inherit'] });
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    const end = async () => {
        process.off('exit', kill);
        const ended = once(child, 'exit');
        kill();
        await ended;
    };
    return { pid: child.pid ?? 0, won: JSON.parse(line) as boolean[], end };
}

describe('lockDirectory', () => {
    /** A process id that nobody has any more. */
    let deadPid: number;

    before(async () => {
        const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
        await once(child, 'exit');
        deadPid = child.pid ?? 0;
    });

    const staleFolder = (content = String(deadPid)) => {
        const folder = temporaryFolder();
        writeFileSync(join(folder, 'lock'), content);
        return folder;
    };

    it('takes the folder for this process, and gives it back', () => {
        const folder = temporaryFolder();
        const unlock = lockDirectory(folder);
        expect(readFileSync(join(folder, 'lock'), 'utf8')).to.equal(String(process.pid));
        expect(statSync(join(folder, 'lock')).mode & 0o777).to.equal(0o600);
        unlock();
        expect(readdirSync(folder)).to.equal([]);
        unlock();
    });

    it('refuses a folder that a living process has, and takes it when that one is gone', async () => {
        const folder = temporaryFolder();
        const { pid, won, end } = await holder(0, [folder]);
        expect(won).to.equal([true]);
        expect(() => lockDirectory(folder)).to.throw(
            `${folder} is in use by process ${pid}: stop it, or set DATA_DIR to another directory.`,
        );
        expect(readdirSync(folder)).to.equal(['lock']);
        await end();
        lockDirectory(folder)();
        expect(existsSync(join(folder, 'lock'))).to.be.false();
    });

    it('refuses a folder of a process that it may not signal', () => {
        // Whoever may signal process 1 finds it alive; whoever may not is told so.
        expect(() => lockDirectory(staleFolder('1'))).to.throw(/is in use by process 1:/);
    });

    it('takes over what a dead process left, half a lock, and one of its own number', () => {
        for (const content of [String(deadPid), '', 'x', '-1', '1.5', String(process.pid)]) {
            const folder = staleFolder(content);
            lockDirectory(folder);
            expect(readFileSync(join(folder, 'lock'), 'utf8'), content).to.equal(String(process.pid));
            expect(readdirSync(folder)).to.equal(['lock']);
        }
    });

    it('is not stopped by a take-over that died halfway, but by one that is under way', async () => {
        const folder = staleFolder();
        writeFileSync(join(folder, 'lock.takeover'), String(deadPid));
        lockDirectory(folder)();
        expect(readdirSync(folder)).to.equal([]);

        const other = staleFolder();
        writeFileSync(join(other, 'lock.takeover'), String(process.ppid));
        expect(() => lockDirectory(other)).to.throw(/is in use/);
        expect(readdirSync(other).sort()).to.equal(['lock', 'lock.takeover']);
    });

    it('says so when the folder cannot be used', () => {
        const folder = temporaryFolder();
        expect(() => lockDirectory(join(folder, 'gone'))).to.throw(/ENOENT/);
        mkdirSync(join(folder, 'lock'));
        expect(() => lockDirectory(folder)).to.throw(/EISDIR/);
    });

    it('lets exactly one of several at once take a folder, fresh or left behind', async () => {
        const folders = Array.from({ length: 60 }, (_, number) =>
            number % 4 === 0 ? temporaryFolder() : staleFolder(),
        );
        const from = Date.now() + 1_000;
        const holders = await Promise.all(Array.from({ length: 4 }, () => holder(from, folders)));
        const winners = folders.map((_, number) => holders.filter(({ won }) => won[number]).length);
        await Promise.all(holders.map(({ end }) => end()));
        expect(winners).to.equal(folders.map(() => 1));
    });
});
