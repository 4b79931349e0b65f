import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { temporaryFolder } from './folder.ts';
import { packageRoot } from '../../src/package-root.ts';

/** The program as a process of its own. */
export interface TestProcess {
    url: string;
    pid: number;
    /**
     * Sends the signal and waits for the end. After SIGKILL a Redis of its own goes on, as in life: start and stop the
     * program once more in that directory to end it.
     */
    stop: (signal?: NodeJS.Signals) => Promise<{ code: number | null }>;
    /** Resolves when the process ends: with its exit code, or null when a signal ended it. */
    exit: Promise<{ code: number | null }>;
    /** Everything written so far to standard output and standard error. */
    output: () => { stdout: string; stderr: string };
}

const SETTINGS = {
    PORT: '0',
    LOG_PRETTY: 'false',
    LOG_LEVEL: 'info',
    PLATFORM_ADMIN_PASSWORD: 'a password for the platform',
    BCRYPT_COST: '10',
    // The machine of the tests may be busier than a server should be.
    MAX_EVENT_LOOP_DELAY_MS: '60000',
    MAX_RSS_MB: '65536',
};

/**
 * Runs the program without waiting for anything; `url` is empty until it listens. It may use what `environment` gives
 * and nothing else of this process's settings.
 */
export function launchProcess(environment: Record<string, string>): TestProcess {
    const { PATH = '', HOME = '', NODE_V8_COVERAGE } = process.env;
    const inherited = { PATH, HOME, ...(NODE_V8_COVERAGE !== undefined && { NODE_V8_COVERAGE }) };
    const child = spawn(process.execPath, [join(packageRoot(), 'dist/src/main.js')], {
        env: { ...inherited, ...SETTINGS, ...environment },
        stdio: ['ignore', 'pipe', 'pipe'],
    });
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    const output = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
    // Its output is read to the end by then, however late that is on a busy machine.
    const exit = once(child, 'close').then(([code]) => {
        process.off('exit', kill);
        return { code: code as number | null };
    });
    return {
        get url() {
            return /listening on (http:\/\/[^"\s]+)/.exec(output.stdout)?.[1] ?? '';
        },
        pid: child.pid ?? 0,
        exit,
        output: () => ({ ...output }),
        stop: (signal = 'SIGTERM') => {
            child.kill(signal);
            return exit;
        },
    };
}

/** Runs the program in a data directory and waits until it listens, on a free port. */
export async function startProcess(environment: Record<string, string> = {}): Promise<TestProcess> {
    const started = launchProcess({ DATA_DIR: temporaryFolder(), ...environment });
    let hasEnded = false;
    void started.exit.then(() => (hasEnded = true));
    while (started.url === '') {
        if (hasEnded) throw new Error(`The program ended before it listened: ${JSON.stringify(started.output())}`);
        await sleep(20);
    }
    return started;
}
