import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { parse } from 'yaml';

import { temporaryFolder } from './folder.ts';
import { freePort } from './free-ports.ts';
import { ended, firstProcess, launchIn, makeRoot, type Ran, type Sandbox } from './sandbox.ts';
import { packageRoot } from '../../src/package-root.ts';

/** What we use of a service of compose.yaml. */
export interface Service {
    image: string;
    environment: Record<string, string>;
    command: string[];
    user?: string;
    read_only: boolean;
    tmpfs: string[];
    volumes: string[];
    ports?: string[];
    cap_drop: string[];
    security_opt: string[];
    stop_grace_period: string;
    depends_on?: Record<string, { condition: string }>;
    healthcheck?: { test: string[] };
}

export interface Compose {
    services: Record<'api' | 'worker' | 'redis', Service>;
    volumes: Record<string, null>;
}

export const composeText = (): string => readFileSync(join(packageRoot(), 'compose.yaml'), 'utf8');
export const composeFile = (): Compose => parse(composeText(), { merge: true }) as Compose;

/** Runs the commands for secrets that compose.yaml gives in its comment, and reads what they made. */
export function makeSecrets(): Record<string, string> {
    const lines = [...composeText().matchAll(/^# {3}(.*)$/gm)].map(([, line = '']) => line);
    const script = lines.slice(
        lines.findIndex((line) => line.startsWith('random()')),
        lines.indexOf('END') + 1,
    );
    const cwd = temporaryFolder();
    execFileSync('sh', ['-euc', script.join('\n')], { cwd });
    const made = readFileSync(join(cwd, '.env'), 'utf8').trim().split('\n');
    return Object.fromEntries(
        made.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
}

/** Puts the variables in as compose does: `$$` is a dollar, and what must be given ends it where it is not. */
export function interpolated<T>(value: T, variables: Record<string, string>): T {
    const put = (text: string): string =>
        text.replaceAll(
            /\$(?:\$|\{(\w+)(?::([?-])([^}]*))?\})/g,
            (all, name?: string, operator?: string, rest = '') => {
                if (name === undefined) return '$';
                if (variables[name]) return variables[name];
                if (operator === '?') throw new Error(`${name}: ${rest}`);
                if (operator === undefined) throw new Error(`${all} has neither a value nor a default`);
                return rest;
            },
        );
    const walk = (part: unknown): unknown => {
        if (typeof part === 'string') return put(part);
        if (Array.isArray(part)) return part.map(walk);
        if (typeof part !== 'object' || part === null) return part;
        return Object.fromEntries(Object.entries(part).map(([key, inner]) => [key, walk(inner)]));
    };
    return walk(value) as T;
}

/** The service `redis` of compose.yaml, with this machine's redis-server and on a port of its own. */
export interface ComposeRedis {
    /** What the other services reach it by. */
    url: string;
    pid: number;
    stop: () => Promise<Ran>;
}

export async function startComposeRedis(secrets: Record<string, string>): Promise<ComposeRedis> {
    const { redis, api } = interpolated(composeFile(), secrets).services;
    const port = await freePort();
    const sandbox = placeFor(redis, port);
    const child = launchIn(sandbox, redis.command);
    const end = ended(child);
    const check = redis.healthcheck?.test[1] ?? '';
    const ping = ['sh', '-c', check.replace('redis-cli', `redis-cli -p ${port}`)];
    while ((await ended(launchIn(sandbox, ping))).code !== 0) {
        if (child.exitCode !== null) throw new Error(JSON.stringify(await end));
        await sleep(50);
    }
    const pid = firstProcess(child);
    return {
        url: `${api.environment.REDIS_URL}`.replace('redis:6379', `127.0.0.1:${port}`),
        pid,
        stop: () => {
            process.kill(pid, 'SIGTERM');
            return end;
        },
    };
}

/** What the image of Redis has: a folder for data, which is its user's. The settings are ours. */
function placeFor({ user = '', volumes, environment }: Service, port: number): Sandbox {
    const root = temporaryFolder();
    makeRoot(root);
    const uid = Number(user.split(':')[0]);
    mkdirSync(join(root, 'data'));
    chownSync(join(root, 'data'), uid, uid);
    const [conf = '', place = ''] = volumes[0]?.split(':') ?? [];
    writeFileSync(join(root, place), `${readFileSync(join(packageRoot(), conf), 'utf8')}\nport ${port}\n`);
    return { root, uid, cwd: '/data', writable: ['/tmp', '/data'], env: environment };
}
