import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** A server under measurement, in a process of its own. */
export interface Contestant {
    url: string;
    /** Processor time used so far, in seconds; null where the system does not tell. */
    cpuSeconds: () => number | null;
    /** Resident memory; null where the system does not tell. */
    rssBytes: () => number | null;
    /** Open files and sockets; null where the system does not tell. */
    openFiles: () => number | null;
    stop: () => Promise<void>;
}

/** What is measured has the first processor to itself, where processes can be pinned; all else shares the others. */
const PROCESSORS = { own: '0', others: `1-${Math.max(1, availableParallelism() - 1)}` };
const canPin = spawnSync('taskset', ['-c', PROCESSORS.others, 'true']).status === 0;

/** Keeps a process that runs, with all its threads, off the processor of what is measured. */
export function moveAside(pid: number): void {
    if (canPin) spawnSync('taskset', ['-a', '-c', '-p', PROCESSORS.others, String(pid)]);
}

export interface ContestantOptions {
    /** False when it is only there for what is measured. */
    isMeasured?: boolean;
    /** Where Node.js leaves a profile of it when it ends. */
    profileFolder?: string | undefined;
}

/** Starts a script of ours and waits until it listens. */
export async function startContestant(
    script: string,
    environment: Record<string, string>,
    { isMeasured = true, profileFolder }: ContestantOptions = {},
): Promise<Contestant> {
    const profile = profileFolder === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', profileFolder];
    const command = [process.execPath, ...profile, script];
    const processors = isMeasured ? PROCESSORS.own : PROCESSORS.others;
    const [program = '', ...args] = canPin ? ['taskset', '-c', processors, ...command] : command;
    const child = spawn(program, args, {
        env: { PATH: process.env.PATH, HOME: process.env.HOME, ...environment },
        stdio: ['ignore', 'pipe', 'inherit'],
    });
    const url = await new Promise<string>((resolve, reject) => {
        let output = '';
        const listen = (text: Buffer) => {
            output += text.toString();
            const [, found] = /listening on (http:\/\/[^"\s]+)/.exec(output) ?? [];
            if (found === undefined) return;
            // What it logs from here on is read, so that it is not held up, and thrown away.
            child.stdout.off('data', listen).resume();
            resolve(found);
        };
        child.stdout.on('data', listen);
        child.once('exit', () => reject(new Error(`${script} ended before it listened: ${output}`)));
    });
    return {
        url,
        cpuSeconds: () => cpuSeconds(child.pid ?? 0),
        rssBytes: () => rssBytes(child.pid ?? 0),
        openFiles: () => openFiles(child.pid ?? 0),
        stop: async () => {
            if (child.exitCode !== null || child.signalCode !== null) return;
            child.kill('SIGTERM');
            await once(child, 'exit');
        },
    };
}

/** Does the work with contestants that it starts, and stops all of them, whatever comes of it. */
export async function withContestants<T>(work: (start: typeof startContestant) => Promise<T>): Promise<T> {
    const started: Contestant[] = [];
    try {
        return await work(async (...what) => {
            const contestant = await startContestant(...what);
            started.unshift(contestant);
            return contestant;
        });
    } finally {
        for (const { stop } of started) await stop();
    }
}

const TICKS_PER_SECOND = 100;

/** From `/proc`, to a hundredth of a second: `ps` tells whole ones. */
function cpuSeconds(pid: number): number | null {
    try {
        const afterName = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1) ?? '';
        const [user, system] = afterName.split(' ').slice(11, 13).map(Number);
        return ((user ?? NaN) + (system ?? NaN)) / TICKS_PER_SECOND;
    } catch {
        return null;
    }
}

function rssBytes(pid: number): number | null {
    const { status, stdout } = spawnSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' });
    return status === 0 ? Number(stdout) * 1024 : null;
}

function openFiles(pid: number): number | null {
    try {
        return readdirSync(`/proc/${pid}/fd`).length;
    } catch {
        return null;
    }
}
