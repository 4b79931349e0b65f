import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Where a program sees nothing but a folder as its root, and this machine's programs in it. */
export interface Sandbox {
    root: string;
    /** Folders of this machine, by where they are seen. */
    binds?: Record<string, string>;
    /** The same, but not to write into. */
    readable?: Record<string, string>;
    /** The user, with no privileges and nothing but `writable` to write into; without it root, who may write. */
    uid?: number;
    /** What is empty, in memory, and belongs to whoever the folder of the root belongs to. */
    writable?: string[];
    cwd?: string;
    env: Record<string, string>;
}

/** The system's programs, and Node.js wherever it is. */
const NODE = dirname(dirname(process.execPath));
const PROGRAMS = NODE === '/usr' ? ['/usr'] : ['/usr', NODE];
const PATH = `${join(NODE, 'bin')}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin`;
/** What names and certificates are looked up by. */
const NETWORK = ['/etc/resolv.conf', '/etc/hosts', '/etc/nsswitch.conf', '/etc/ssl/certs'];

/** Why there is no such thing on this machine; empty where there is. */
export function whyNoSandbox(): string {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'it takes root on Linux';
    try {
        execFileSync('unshare', ['--mount', '--pid', '--fork', 'setpriv', '--version'], { stdio: 'ignore' });
        return '';
    } catch {
        return 'this machine gives no namespaces of mounts and processes';
    }
}

/** Puts into an empty folder what every base image has: the rest is this machine's. */
export function makeRoot(root: string): void {
    // For a user other than whoever made it.
    chmodSync(root, 0o755);
    for (const folder of ['proc', 'dev', 'tmp', 'root', 'etc', ...PROGRAMS]) {
        mkdirSync(join(root, folder), { recursive: true });
    }
    chmodSync(join(root, 'tmp'), 0o1777);
    for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
        if (existsSync(`/usr/${name}`)) symlinkSync(`usr/${name}`, join(root, name));
    }
    writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
    writeFileSync(join(root, 'etc/group'), 'root:x:0:\n');
    const { NODE_EXTRA_CA_CERTS = '' } = process.env;
    for (const path of [...NETWORK, NODE_EXTRA_CA_CERTS].filter((path) => path !== '' && existsSync(path))) {
        cpSync(path, join(root, path), { recursive: true, dereference: true });
    }
}

const quoted = (path: string): string => `'${path.replaceAll("'", String.raw`'\''`)}'`;

/** The mounts of a namespace of its own: they go with its last process. */
function mountsOf({ root, binds = {}, readable = {}, uid, writable = [] }: Sandbox): string[] {
    const at = (path: string) => quoted(join(root, path));
    const inMemory = (path: string) => {
        const { uid: owner, gid, mode } = statSync(join(root, path));
        return `mount -t tmpfs -o uid=${owner},gid=${gid},mode=${(mode & 0o7777).toString(8)} tmpfs ${at(path)}`;
    };
    const bind = (from: string, to: string, flags = 'bind') => `mount --${flags} ${quoted(from)} ${at(to)}`;
    const readOnly = (path: string) => `mount -o remount,bind,ro ${at(path)}`;
    return [
        bind(root, ''),
        // Folders in memory may be closed for programs.
        `mount -o remount,bind,exec ${at('')}`,
        ...PROGRAMS.flatMap((path) => [bind(path, path), readOnly(path)]),
        bind('/dev', '/dev'),
        `mount -t proc proc ${at('/proc')}`,
        ...Object.entries(binds).map(([to, from]) => bind(from, to)),
        ...Object.entries(readable).flatMap(([to, from]) => [bind(from, to), readOnly(to)]),
        ...writable.map(inMemory),
        ...(uid === undefined ? [] : [readOnly('')]),
    ];
}

/** As container engines do it: no capability, and no way to one. */
const asUser = (uid: number): string[] =>
    ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'].concat(
        '--no-new-privs',
        '--bounding-set=-all',
        '--inh-caps=-all',
    );

/** Starts a program in there, as the first process of all that it sees. Its output can be read. */
export function launchIn(sandbox: Sandbox, command: string[]): ChildProcess {
    const { root, uid, cwd = '/', env } = sandbox;
    const enter = ['chroot', root, 'env', '-C', cwd, ...(uid === undefined ? [] : asUser(uid)), ...command];
    const script = `set -e\n${mountsOf(sandbox).join('\n')}\nexec ${enter.map(quoted).join(' ')}`;
    const child = spawn('unshare', ['--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', script], {
        // Node.js hands that one on unless it is named, and its folder is not to be seen in there.
        env: { PATH, ...env, NODE_V8_COVERAGE: undefined },
        stdio: ['ignore', 'pipe', 'pipe'],
    });
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('close', () => process.off('exit', kill));
    return child;
}

/** What ran, and what became of it. */
export interface Ran {
    code: number | null;
    stdout: string;
    stderr: string;
}

/** Waits for the end of a program that has been started. */
export function ended(child: ChildProcess): Promise<Ran> {
    const output = { stdout: '', stderr: '' };
    child.stdout?.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
    return new Promise((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code) => resolve({ code, ...output }));
    });
}

/** The first process in there, by its number out here. */
export function firstProcess({ pid = 0 }: ChildProcess): number {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
}
