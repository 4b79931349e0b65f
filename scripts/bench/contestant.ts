import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

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

/** Starts a script of ours on the first processor, where it can be pinned, and waits until it listens. */
export async function startContestant(script: string, environment: Record<string, string>): Promise<Contestant> {
    const command = [process.execPath, script];
    const [program = '', ...args] = canPin ? ['taskset', '-c', '0', ...command] : command;
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
        cpuSeconds: () => told('cputimes', child.pid ?? 0),
        rssBytes: () => scaled(told('rss', child.pid ?? 0), 1024),
        stop: async () => {
            child.kill('SIGTERM');
            await once(child, 'exit');
        },
    };
}

/** What `ps` tells of a process. */
function told(what: 'cputimes' | 'rss', pid: number): number | null {
    const { status, stdout } = spawnSync('ps', ['-o', `${what}=`, '-p', String(pid)], { encoding: 'utf8' });
    return status === 0 ? Number(stdout) : null;
}

const scaled = (value: number | null, by: number): number | null => (value === null ? null : value * by);
