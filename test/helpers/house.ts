import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

import { PLATFORM_ADMIN, type TestApp } from './app.ts';
import { priceOf, writeCatalogue } from './catalogue.ts';
import { temporaryFolder } from './folder.ts';
import { freePort } from './free-ports.ts';
import { told } from './paid-calls.ts';
import { launchProcess, startProcess, type TestProcess } from './process.ts';
import { startProvider, type Provider } from './provider.ts';
import { chunk } from './remote-model.ts';
import { callsTo } from './remote.ts';
import { until } from './tunnel-agent.ts';
import { startReceiver, type TestReceiver } from './webhook.ts';
import { packageRoot } from '../../src/package-root.ts';

import type { Redis } from 'ioredis';

/** What a paid call of `remote` costs: by its catalogue, of the tokens that the stand-in tells. */
export const COST = 10n;
/** However busy the machine is. */
const START_WITHIN_MS = 120_000;
/** More than it may take by SHUTDOWN_TIMEOUT. */
const STOP_WITHIN_MS = 60_000;
const TOKENS = { input: 6, output: 4 };

/** A replica of the API. */
export interface Api {
    url: string;
    call: TestApp['call'];
    process: TestProcess;
}

/** Two replicas of the API and a worker, as in production, and what they talk to. */
export interface House {
    apis: [Api, Api];
    worker: TestProcess;
    provider: Provider;
    receiver: TestReceiver;
    /** A Redis that has a key, for a look behind the API's back. */
    redisOf: (key: string) => Promise<Redis>;
    /** A platform admin's. */
    token: string;
    /** Runs a command with the settings of the API. */
    command: (name: string, ...args: string[]) => Promise<{ code: number; stdout: string; stderr: string }>;
    /** Everything that the three have logged, parsed. */
    logs: () => Record<string, unknown>[];
    stop: () => Promise<void>;
}

/** @param settings Where Redis is */
export async function startHouse(settings: Record<string, string>, redisOf: House['redisOf']): Promise<House> {
    const [provider, receiver] = await Promise.all([startProvider(), startReceiver()]);
    provider.answer({ steps: [chunk('Paid'), told(TOKENS)] });
    const environment = { ...settings, ...common(provider) };
    const startApi = async (): Promise<TestProcess> =>
        startProcess({ ...environment, ROLE: 'api', INTERNAL_PORT: String(await freePort()) });
    const [first, second, worker] = await Promise.all([startApi(), startApi(), startWorker(environment)]);
    const programs = [first, second, worker];
    const api = (program: TestProcess): Api => ({ url: program.url, call: callsTo(program.url), process: program });
    const apis: [Api, Api] = [api(first), api(second)];
    const login = await apis[0].call('POST', '/api/login', { payload: PLATFORM_ADMIN });
    return {
        apis,
        worker,
        provider,
        receiver,
        redisOf,
        token: login.body.data.accessToken,
        command: (name, ...args) => command(environment, name, args),
        logs: () => programs.flatMap(linesOf),
        stop: async () => {
            const names = ['the first API', 'the second API', 'the worker'];
            const ends = await Promise.all(programs.map(endOf));
            await Promise.all([provider.stop(), receiver.stop()]);
            const bad = ends.flatMap((end, n) => (end === '' ? [] : [`${names[n]} ${end}`]));
            if (bad.length > 0) throw new Error(bad.join('\n'));
        },
    };
}

/** How a program ended: nothing to say, or what was wrong. */
async function endOf(program: TestProcess): Promise<string> {
    const lines = () => program.output().stdout.split('\n').slice(-8).join('\n');
    const late = setTimeout(() => void program.stop('SIGKILL'), STOP_WITHIN_MS);
    const { code } = await program.stop();
    clearTimeout(late);
    if (code === 0) return '';
    return `ended with ${code ?? 'nothing, and had to be killed'}:\n${lines()}`;
}

const common = (provider: Provider) => ({
    JWT_KEYS: `k1:${randomBytes(48).toString('base64url')}`,
    VAULT_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    INTERNAL_KEY: 'a key that only the replicas know of',
    TRUSTED_PROXIES: '127.0.0.1/32',
    WEBHOOK_ALLOW_PRIVATE: 'true',
    WELCOME_CREDITS: '0',
    VM_SIMULATOR_DELAY_MS: '50',
    BACKUP_DIR: temporaryFolder(),
    ACCESS_TOKEN_TTL: '3600',
    SANDBOX_TOKEN_DELAY_MS: '20',
    OPENAI_BASE_URL: `${provider.url}/v1`,
    OLLAMA_URL: provider.url,
    PROVIDER_KEYS_SHARED: 'openai=sk-of-the-test',
    CATALOGUE_FILE: writeCatalogue([
        { id: 'remote', provider: 'openai', prices: priceOf({ input: 1_000_000, output: 1_000_000 }) },
        { id: 'sandbox' },
    ]),
});

/** It listens nowhere, and says only that it works. */
async function startWorker(environment: Record<string, string>): Promise<TestProcess> {
    const worker = launchProcess({ ...environment, DATA_DIR: temporaryFolder(), ROLE: 'worker' });
    let hasEnded = false;
    void worker.exit.then(() => (hasEnded = true));
    await until(() => hasEnded || worker.output().stdout.includes('"msg":"working"'), START_WITHIN_MS);
    if (hasEnded) throw new Error(`The worker ended: ${JSON.stringify(worker.output())}`);
    return worker;
}

const linesOf = (program: TestProcess): Record<string, unknown>[] => {
    const { stdout, stderr } = program.output();
    if (stderr !== '') throw new Error(stderr);
    const whole = stdout.slice(0, stdout.lastIndexOf('\n'));
    return whole.split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
};

function command(environment: Record<string, string>, name: string, args: string[]) {
    const { PATH = '', HOME = '' } = process.env;
    const script = join(packageRoot(), `dist/scripts/${name}.js`);
    const env = { PATH, HOME, BCRYPT_COST: '10', ...environment };
    return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
        execFile(process.execPath, [script, ...args], { env }, (error, stdout, stderr) =>
            resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
        );
    });
}
