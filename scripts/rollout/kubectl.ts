import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

import { CheckError, ConflictError, RefusedError } from './errors.ts';

/** A port of this machine for each of the pod's, by its number there. */
export type LocalPorts = Record<number, number>;

export interface Forward {
    local: LocalPorts;
    close: () => Promise<void>;
}

export interface Kubectl {
    /** Nothing is changed: what would be run is said. */
    readonly isDry: boolean;
    /** Aborted when the command is interrupted. */
    readonly signal: AbortSignal;
    /** Reads, and gives what was written to the standard output; going back needs it too, so it is not interrupted. */
    read: (args: string[]) => Promise<string>;
    /** Changes something; once begun it is not interrupted. */
    change: (args: string[]) => Promise<void>;
    /** Waits until it ends well. */
    wait: (args: string[], signal?: AbortSignal) => Promise<void>;
    /** Has ports of a pod here, until it is closed or the command is interrupted. */
    forward: (pod: string, ports: number[]) => Promise<Forward>;
}

export interface KubectlOptions {
    namespace: string;
    context: string | undefined;
    isDry: boolean;
    signal: AbortSignal;
    say: (line: string) => void;
}

const REQUEST_TIMEOUT = '--request-timeout=30s';
const FORWARDED_WITHIN_MS = 20_000;
/** What only the smoke test needs to know. */
const SECRETS = ['ROLLOUT_EMAIL', 'ROLLOUT_PASSWORD', 'METRICS_TOKEN'];

/** Speaks to a cluster by `kubectl` and by nothing else. */
export function kubectlFor({ namespace, context, isDry, signal, say }: KubectlOptions): Kubectl {
    const where = [...(context === undefined ? [] : [`--context=${context}`]), `--namespace=${namespace}`];
    const wouldRun = (args: string[]): void => say(`would run: ${shown([...where, ...args])}`);
    return {
        isDry,
        signal,
        read: (args) => run([...where, REQUEST_TIMEOUT, ...args]),
        change: async (args) => {
            if (isDry) wouldRun(args);
            else await run([...where, REQUEST_TIMEOUT, ...args]);
        },
        wait: async (args, until = signal) => {
            if (isDry) wouldRun(args);
            else await run([...where, ...args], until);
        },
        forward: (pod, ports) => forward([...where, 'port-forward', `pod/${pod}`], ports, signal),
    };
}

/** As it would be written in a shell. */
const shown = (args: string[]): string =>
    ['kubectl', ...args.map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`))].join(
        ' ',
    );

function start(args: string[]): ChildProcess {
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !SECRETS.includes(name)));
    // In a group of its own, an interruption at the terminal does not end a change half way.
    return spawn('kubectl', args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
}

async function run(args: string[], signal?: AbortSignal): Promise<string> {
    signal?.throwIfAborted();
    const child = start(args);
    const output = { stdout: '', stderr: '' };
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
    const stop = (): void => void child.kill();
    signal?.addEventListener('abort', stop);
    try {
        const code = await closed(child);
        signal?.throwIfAborted();
        if (code !== 0) throw failure(args, output.stderr);
        return output.stdout;
    } finally {
        signal?.removeEventListener('abort', stop);
    }
}

/** @throws RefusedError when there is no kubectl */
async function closed(child: ChildProcess): Promise<number | null> {
    try {
        const [code] = (await once(child, 'close')) as [number | null];
        return code;
    } catch (error) {
        const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
        throw isMissing ? new RefusedError('There is no kubectl on the PATH.') : error;
    }
}

function failure(args: string[], stderr: string): Error {
    // Its log lines begin with a letter and a date: what it has to tell comes after them.
    const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !/^[IWEF]\d{4} /.test(line));
    const words = (lines.length === 0 ? stderr.trim() : lines.join(' ')).trim();
    if (/object has been modified|\(Conflict\)/.test(words)) return new ConflictError(words);
    const verb = args.filter((arg) => !arg.startsWith('-')).slice(0, 3);
    return new CheckError(`kubectl ${verb.join(' ')}: ${words}`);
}

async function forward(args: string[], ports: number[], signal: AbortSignal): Promise<Forward> {
    signal.throwIfAborted();
    const child = start([...args, ...ports.map((port) => `:${port}`), '--address=127.0.0.1']);
    const end = closed(child);
    // Whoever waits for the ports is told; afterwards it is ended from here.
    end.catch(() => undefined);
    const stop = (): void => void child.kill();
    signal.addEventListener('abort', stop);
    const close = async (): Promise<void> => {
        signal.removeEventListener('abort', stop);
        stop();
        await end.catch(() => undefined);
    };
    try {
        return { local: await localPorts(child, end, ports), close };
    } catch (error) {
        await close();
        throw error;
    }
}

function localPorts(child: ChildProcess, end: Promise<unknown>, ports: number[]): Promise<LocalPorts> {
    return new Promise((resolve, reject) => {
        let said = '';
        let complaint = '';
        const late = (): void => reject(new CheckError('kubectl port-forward did not begin in time.'));
        const timer = setTimeout(late, FORWARDED_WITHIN_MS);
        child.stdout?.setEncoding('utf8').on('data', (text: string) => {
            said += text;
            const found = [...said.matchAll(/127\.0\.0\.1:(\d+) -> (\d+)\n/g)];
            const local: LocalPorts = Object.fromEntries(found.map(([, here, there]) => [Number(there), Number(here)]));
            if (ports.every((port) => local[port] !== undefined)) resolve(local);
        });
        child.stderr?.setEncoding('utf8').on('data', (text: string) => (complaint += text));
        const ended = (): void => reject(failure(['port-forward'], complaint));
        end.then(ended, reject).finally(() => clearTimeout(timer));
    });
}
