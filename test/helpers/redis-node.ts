import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import { Redis } from 'ioredis';

import { temporaryFolder } from './folder.ts';

const HOST = '127.0.0.1';
/** Lines of a configuration file as arguments. */
export const argsOf = (lines: Record<string, string>): string[] =>
    Object.entries(lines).flatMap(([name, value]) => [`--${name}`, value]);

/** What all nodes have in common that replicate: nothing on disk, and no waiting before a copy is sent. */
export const REPLICATING = {
    appendonly: 'no',
    'maxmemory-policy': 'noeviction',
    'repl-diskless-sync-delay': '0',
    'enable-debug-command': 'local',
};

/** Several nodes that take over from each other. */
export interface Nodes {
    /** By which the program finds them. */
    settings: Record<string, string>;
    nodes: RedisNode[];
    /** Those that take writes now. */
    masters: () => Promise<RedisNode[]>;
    /** The one that takes writes for a key now. */
    masterOf: (key: string) => Promise<RedisNode>;
    /** Waits until there is no node that others do not follow, or that does not follow, in sync. */
    untilWhole: () => Promise<void>;
    stop: () => Promise<void>;
}

/** A redis-server on a TCP port, as one of several, that a test kills, freezes and starts again. */
export class RedisNode {
    readonly port: number;
    /** `host:port` */
    readonly address: string;
    /** Where it keeps what it keeps. */
    readonly folder = temporaryFolder();
    /** Commands of the test; none of them waits for a node that is down. */
    readonly redis: Redis;
    readonly #args: string[];
    #child: ChildProcess | undefined;

    /** @param args Instead of a file's lines; without them it keeps nothing on disk */
    constructor(port: number, args: string[]) {
        this.port = port;
        this.address = `${HOST}:${port}`;
        this.#args = args;
        this.redis = new Redis(port, HOST, {
            lazyConnect: true,
            maxRetriesPerRequest: 0,
            commandTimeout: 5_000,
            retryStrategy: () => 50,
        });
        this.redis.on('error', () => undefined);
    }

    /** Starts it, also after it was killed, and waits until it answers. */
    async start(): Promise<void> {
        const place = ['--port', String(this.port), '--bind', HOST, '--dir', this.folder, '--save', ''];
        // First the file, where there is one.
        const [first = '', ...rest] = this.#args;
        const args = first.startsWith('--') ? [...place, ...this.#args] : [first, ...place, ...rest];
        this.#child = spawn('redis-server', args, { stdio: 'ignore' });
        process.once('exit', this.#end);
        if (this.redis.status === 'wait') await this.redis.connect().catch(() => undefined);
        await waitUntil(`redis-server on ${this.port} answers`, async () => (await this.redis.ping()) === 'PONG');
    }

    get isRunning(): boolean {
        return this.#child !== undefined;
    }

    /** Ends it at once, by its process id. */
    async kill(): Promise<void> {
        const child = this.#child;
        if (!child) return;
        this.#child = undefined;
        process.off('exit', this.#end);
        const exited = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : null;
        child.kill('SIGKILL');
        await exited;
    }

    /** It neither answers nor ends, and its connections stay open, as those of a machine that is stopped. */
    freeze(): void {
        this.#child?.kill('SIGSTOP');
    }

    thaw(): void {
        this.#child?.kill('SIGCONT');
    }

    async stop(): Promise<void> {
        this.redis.disconnect();
        await this.kill();
    }

    /** What a section of INFO says. */
    async info(section: string): Promise<Record<string, string>> {
        const lines = (await this.redis.info(section)).split('\r\n').filter((line) => line.includes(':'));
        return Object.fromEntries(lines.map((line) => [line.split(':', 1)[0], line.slice(line.indexOf(':') + 1)]));
    }

    readonly #end = () => void this.#child?.kill('SIGKILL');
}

/** Waits until it is so; what cannot be asked just now is not so. */
export async function waitUntil(what: string, isSo: () => Promise<boolean>, patienceMs = 30_000): Promise<void> {
    const deadline = Date.now() + patienceMs;
    while (!(await isSo().catch(() => false))) {
        if (Date.now() > deadline) throw new Error(`It did not come to that: ${what}`);
        await sleep(50);
    }
}
