import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { Redis } from 'ioredis';

import { temporaryFolder } from './folder.ts';

/** A redis-server that a test ends and starts again on the same socket. What it held is on disk. */
export class RestartableRedis {
    readonly #folder = temporaryFolder();
    readonly path = join(this.#folder, 'redis.sock');
    #child: ChildProcess | undefined;

    async start(): Promise<void> {
        const place = ['--port', '0', '--unixsocket', this.path, '--dir', this.#folder, '--save', ''];
        const child = spawn('redis-server', [...place, '--appendonly', 'yes', '--appendfsync', 'always'], {
            stdio: 'ignore',
        });
        this.#child = child;
        process.once('exit', this.#kill);
        const redis = new Redis(this.path, { retryStrategy: () => 10, maxRetriesPerRequest: null });
        redis.on('error', () => undefined);
        while ((await redis.ping().catch(() => '')) !== 'PONG') await sleep(10);
        redis.disconnect();
    }

    /** Ends the server at once, by its process id. */
    async kill(): Promise<void> {
        const child = this.#child;
        if (!child) return;
        this.#child = undefined;
        process.off('exit', this.#kill);
        const exited = once(child, 'exit');
        child.kill('SIGKILL');
        await exited;
    }

    /** The server neither answers nor ends, as under a full disk or a stopped machine. */
    hang(): void {
        this.#child?.kill('SIGSTOP');
    }

    resume(): void {
        this.#child?.kill('SIGCONT');
    }

    remove(): Promise<void> {
        return this.kill();
    }

    readonly #kill = () => void this.#child?.kill('SIGKILL');
}
