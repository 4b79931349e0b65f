import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { Redis } from 'ioredis';

import { lockDirectory } from './directory-lock.ts';
import { packageRoot } from '../package-root.ts';

import type { Logger } from '../telemetry/logger.ts';

/** A unix socket's path has 108 bytes on Linux and 104 on macOS. */
const MAX_SOCKET_PATH = 103;
const START_TIMEOUT_MS = 20_000;
const MAX_RESTART_DELAY_MS = 5_000;
const NOT_INSTALLED = 'redis-server is not on the PATH: install Redis 7.0 or newer, or set REDIS_URL.';

/** A redis-server of our own. */
export interface EmbeddedRedis {
    /** The path of its unix socket. */
    readonly path: string;
    /** Lets it write everything to disk and exit. */
    stop(): Promise<void>;
}

/**
 * Starts redis-server as a child, in a data directory that no other process may use meanwhile, and starts it again
 * whenever it dies.
 *
 * @throws {Error} When the directory is in use, its path is too long for a socket, or redis-server does not start
 */
export async function startEmbeddedRedis(dataDir: string, logger: Logger): Promise<EmbeddedRedis> {
    const log = logger.child({ module: 'embedded-redis' });
    const path = join(dataDir, 'redis.sock');
    if (Buffer.byteLength(path) > MAX_SOCKET_PATH) {
        throw new Error(`DATA_DIR is too long for a unix socket (${path}): choose a shorter one, or set REDIS_URL.`);
    }
    mkdirSync(join(dataDir, 'redis'), { recursive: true, mode: 0o700 });
    const unlock = lockDirectory(dataDir);
    try {
        await stopOrphan(path);
        const server = new Supervised(() => launch(dataDir, path, log), path, log);
        await server.start();
        return {
            path,
            stop: async () => {
                await server.stop();
                unlock();
            },
        };
    } catch (error) {
        unlock();
        throw error;
    }
}

function launch(dataDir: string, path: string, log: Logger): ChildProcess {
    const settings = join(packageRoot(), '.redis.conf');
    const place = ['--port', '0', '--unixsocket', path, '--dir', join(dataDir, 'redis')];
    // A group of its own: Ctrl-C must reach the API only, which stops Redis after its last write.
    const child = spawn('redis-server', [settings, ...place], { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
    // Not our own standard error: a server that outlives us would keep it open for whoever waits for its end.
    child.stderr.on('data', (text: Buffer) => log.error(text.toString().trim()));
    return child;
}

/** Stops the server that a killed API left behind. */
async function stopOrphan(path: string): Promise<void> {
    if (!(await answers(path))) return;
    const redis = new Redis(path, { lazyConnect: true, retryStrategy: () => null });
    redis.on('error', () => undefined);
    await redis.connect();
    // The connection ends without an answer: that is how SHUTDOWN succeeds.
    await redis.shutdown().catch(() => undefined);
    redis.disconnect();
    for (const deadline = Date.now() + START_TIMEOUT_MS; await answers(path); await sleep(50)) {
        if (Date.now() > deadline) throw new Error(`The redis-server at ${path} does not stop: stop it by hand.`);
    }
}

async function answers(path: string): Promise<boolean> {
    const redis = new Redis(path, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 1_000 });
    redis.on('error', () => undefined);
    try {
        await redis.connect();
        await redis.ping();
        return true;
    } catch {
        return false;
    } finally {
        redis.disconnect();
    }
}

class Supervised {
    readonly #launch: () => ChildProcess;
    readonly #path: string;
    readonly #log: Logger;
    #child: ChildProcess | null = null;
    #isStopping = false;

    constructor(launch: () => ChildProcess, path: string, log: Logger) {
        this.#launch = launch;
        this.#path = path;
        this.#log = log;
    }

    async start(): Promise<void> {
        const child = this.#launch();
        this.#child = child;
        const failed = once(child, 'exit').then(
            ([code]) => {
                throw new Error(`redis-server ended with code ${code} before it answered`);
            },
            (error: NodeJS.ErrnoException) => {
                throw error.code === 'ENOENT' ? new Error(NOT_INSTALLED, { cause: error }) : error;
            },
        );
        await Promise.race([this.#untilItAnswers(child), failed]);
        failed.catch(() => undefined);
        child.once('exit', (code, signal) => void this.#restart(code, signal));
    }

    async stop(): Promise<void> {
        this.#isStopping = true;
        const child = this.#child;
        if (!child || child.exitCode !== null || child.signalCode !== null) return;
        child.kill('SIGTERM');
        await once(child, 'exit');
    }

    async #untilItAnswers(child: ChildProcess): Promise<void> {
        const deadline = Date.now() + START_TIMEOUT_MS;
        while (!(await answers(this.#path))) {
            if (child.exitCode !== null) return;
            if (Date.now() > deadline) {
                // Two servers must never write one file: this one ends before anybody starts another.
                child.kill('SIGKILL');
                throw new Error('redis-server did not answer in time');
            }
            await sleep(20);
        }
    }

    async #restart(code: number | null, signal: string | null): Promise<void> {
        for (let delay = 100; !this.#isStopping; delay = Math.min(delay * 2, MAX_RESTART_DELAY_MS)) {
            this.#log.error({ code, signal }, 'redis-server ended; starting it again');
            await sleep(delay);
            if (this.#isStopping) return;
            try {
                await this.start();
                return;
            } catch (error) {
                this.#log.error({ err: error }, 'redis-server did not start');
            }
        }
    }
}
