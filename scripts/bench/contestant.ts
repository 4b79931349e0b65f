import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

/** A server under measurement, in a process of its own. */
export interface Contestant {
    url: string;
    /** Processor time used so far, in seconds; null where the system does not tell. */
    cpuSeconds: () => number | null;
    /** Resident memory; null where the system does not tell. */
    rssBytes: () => number | null;
    stop: () => Promise<void>;
}

const canPin = spawnSync('taskset', ['-c', '0', 'true']).status === 0;

/**
 * Starts a script of ours and waits until it listens: on the first processor, where it can be pinned, unless it is only
 * there for what is measured.
 */
export async function startContestant(
    script: string,
    environment: Record<string, string>,
    { isPinned = true } = {},
): Promise<Contestant> {
    const command = [process.execPath, script];
    const [program = '', ...args] = canPin && isPinned ? ['taskset', '-c', '0', ...command] : command;
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
