import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { moveAside, withContestants, type Contestant, type startContestant } from './contestant.ts';
import { Ground, seed, type SeededUser, type SeedOptions } from './seed.ts';
import { loadConfig } from '../../src/config.ts';

import type { Figures } from './figures.ts';

/** Where parts are measured: an API with its Redis, users who are logged in, and a model's stand-in. */
export interface Scene {
    api: Contestant;
    users: SeededUser[];
    /** The stores of the API's Redis, which listens at `socket`. */
    ground: Ground;
    socket: string;
    upstream: Contestant;
    /** For files; it is removed in the end. */
    folder: string;
    start: typeof startContestant;
    /** An API with a Redis of its own and other settings, with users as the first has them unless it is told how many. */
    startAnother: (
        name: string,
        settings: Record<string, string>,
        count?: number,
    ) => Promise<Pick<Scene, 'api' | 'users' | 'ground' | 'socket'>>;
}

/** What it gives are rows of the table. */
export type Part = (scene: Scene) => Promise<Record<string, Figures>>;

/** The models that the stand-in is reached by: calls of one cost nothing, those of the other are paid from credits. */
export const MODELS = { free: 'bench', paid: 'bench-paid' };
/** What a million tokens of the paid model cost, in micro-dollars. */
export const PAID_MICROS_PER_MILLION = 100_000;

const USERS = 8_000;

/**
 * Sets a scene, and clears it away whatever comes of the work.
 *
 * @param profileFolder Where the APIs leave their profiles
 */
export async function withScene<T>(work: (scene: Scene) => Promise<T>, profileFolder?: string): Promise<T> {
    moveAside(process.pid);
    const folder = mkdtempSync(join(tmpdir(), 'bench-'));
    const keys = newKeys();
    const grounds: Ground[] = [];
    const stage = async (start: typeof startContestant): Promise<T> => {
        const upstream = await start('dist/scripts/bench/processes/upstream.js', {}, { isMeasured: false });
        const environment = { ...environmentOf(keys), ...modelsOf(folder, upstream) };
        const startAnother: Scene['startAnother'] = async (name, settings, count = USERS) => {
            const place = join(folder, name);
            const all = { ...environment, DATA_DIR: place, ...settings };
            const api = await start('dist/src/main.js', all, { profileFolder });
            const socket = join(place, 'redis.sock');
            const ground = new Ground(socket, { keys, bcryptCost: loadConfig(environment).BCRYPT_COST });
            grounds.push(ground);
            moveAside(await ground.redisPid());
            return { api, ground, socket, users: await seed(ground, count) };
        };
        return work({ ...(await startAnother('api', {})), upstream, folder, start, startAnother });
    };
    return withContestants((start) => stage(start).finally(() => grounds.forEach((ground) => ground.close()))).finally(
        () => rmSync(folder, { recursive: true }),
    );
}

export const newKeys = (): SeedOptions['keys'] => ({
    jwt: `bench:${randomBytes(48).toString('base64url')}`,
    vault: `bench:${randomBytes(32).toString('base64')}`,
});

/** Of an API like production's, but for its data directory. */
export const environmentOf = ({ jwt, vault }: SeedOptions['keys']): Record<string, string> => ({
    NODE_ENV: 'production',
    PLATFORM_ADMIN_PASSWORD: randomBytes(16).toString('hex'),
    HOST: '127.0.0.1',
    PORT: '0',
    JWT_KEYS: jwt,
    VAULT_KEYS: vault,
    LOG_PRETTY: 'false',
    REQUIRE_HTTPS: 'false',
    // A login is limited by address: each has one of its own.
    TRUSTED_PROXIES: '127.0.0.1',
    // A thousand streams may be more than a process should have that serves others as well.
    MAX_RSS_MB: '4096',
});

/** The stand-in as the provider of models. */
const modelsOf = (folder: string, upstream: Contestant): Record<string, string> => ({
    CATALOGUE_FILE: writeCatalogue(folder),
    OPENAI_BASE_URL: `${upstream.url}/v1`,
    PROVIDER_KEYS_SHARED: 'openai=bench',
});

/** A catalogue with the models that the stand-in is reached by. */
function writeCatalogue(folder: string): string {
    const model = { name: 'Bench', provider: 'openai', capabilities: ['text'], contextLength: 100_000 };
    const modelOf = (id: string, perMillion: number) => ({
        ...model,
        id,
        parameters: { temperature: false },
        prices: [{ validFrom: null, validUntil: null, microsPerMillion: { input: perMillion, output: perMillion } }],
    });
    const file = join(folder, 'models.json');
    const models = [modelOf(MODELS.free, 0), modelOf(MODELS.paid, PAID_MICROS_PER_MILLION)];
    writeFileSync(file, JSON.stringify({ version: 'bench', models }));
    return file;
}
