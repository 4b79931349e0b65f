/** `npm run bench`: what the API costs, as ratios of what was measured in turn. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { measureBackups } from './backups.ts';
import { withContestants } from './contestant.ts';
import { measureLogin } from './login.ts';
import { measureMetrics } from './metrics.ts';
import { Ground, seed } from './seed.ts';
import { measureStreams, MODELS } from './streams.ts';
import { measureThroughput, REQUESTS } from './throughput.ts';
import { measureTunnels } from './tunnels.ts';
import { loadConfig } from '../../src/config.ts';

import type { Figures } from './figures.ts';

const USERS = 4_000;

const only = process.argv.find((argument) => argument.startsWith('--only='))?.slice('--only='.length);
const isWanted = (name: string) => only === undefined || only === name;
const requests = Object.entries(REQUESTS).filter(([name]) => isWanted(name));
if (requests.length === 0 && !['login', 'streams', 'tunnels', 'backups', 'metrics'].some(isWanted))
    throw new Error(`There is no part ${only}`);

const folder = mkdtempSync(join(tmpdir(), 'bench-'));
const keys = {
    jwt: `bench:${randomBytes(48).toString('base64url')}`,
    vault: `bench:${randomBytes(32).toString('base64')}`,
};
const environment = {
    NODE_ENV: 'production',
    PLATFORM_ADMIN_PASSWORD: randomBytes(16).toString('hex'),
    HOST: '127.0.0.1',
    PORT: '0',
    DATA_DIR: folder,
    JWT_KEYS: keys.jwt,
    VAULT_KEYS: keys.vault,
    LOG_PRETTY: 'false',
    REQUIRE_HTTPS: 'false',
    // A login is limited by address: each has one of its own.
    TRUSTED_PROXIES: '127.0.0.1',
};
const socket = join(folder, 'redis.sock');
const results: Record<string, Figures> = {};
await withContestants(async (start) => {
    const upstream = await start('dist/scripts/bench/upstream.js', {});
    const settings = {
        ...environment,
        CATALOGUE_FILE: writeCatalogue(folder),
        OPENAI_BASE_URL: `${upstream.url}/v1`,
        PROVIDER_KEYS_SHARED: 'openai=bench',
        // A thousand streams may be more than a process should have that serves others as well.
        MAX_RSS_MB: '4096',
    };
    const api = await start('dist/src/main.js', settings);
    const bcryptCost = loadConfig(environment).BCRYPT_COST;
    const ground = new Ground(socket, { keys, bcryptCost });
    try {
        const users = await seed(ground, USERS);
        if (isWanted('login')) Object.assign(results, await measureLogin(api, users));
        if (isWanted('streams')) Object.assign(results, await measureStreams({ api, upstream }, users));
        if (isWanted('tunnels')) Object.assign(results, await measureTunnels(api, users, folder));
        if (isWanted('metrics')) {
            const beside = join(folder, 'plain');
            const plain = await start('dist/src/main.js', { ...settings, DATA_DIR: beside, METRICS: 'off' });
            const other = new Ground(join(beside, 'redis.sock'), { keys, bcryptCost });
            const others = await seed(other, USERS).finally(() => other.close());
            const sides = { measured: { contestant: api, users }, plain: { contestant: plain, users: others } };
            Object.assign(results, await measureMetrics(sides));
        }
        if (isWanted('backups')) Object.assign(results, await measureBackups(api, ground));
        if (requests.length > 0) Object.assign(results, await measureThroughput(requests, { api, users, socket }));
    } finally {
        ground.close();
    }
}).finally(() => rmSync(folder, { recursive: true }));

const rounded = Object.entries(results).map(([name, figures]) => [
    name,
    Object.fromEntries(Object.entries(figures).map(([key, value]) => [key, Number(value.toFixed(value < 10 ? 3 : 0))])),
]);
console.table(Object.fromEntries(rounded));
writeFileSync('bench.json', `${JSON.stringify(results, null, 4)}\n`);

/** A catalogue with the models that the stand-in is reached by. */
function writeCatalogue(place: string): string {
    const model = { name: 'Bench', provider: 'openai', capabilities: ['text'], contextLength: 100_000 };
    const modelOf = (id: string, perMillion: number) => ({
        ...model,
        id,
        parameters: { temperature: false },
        prices: [{ validFrom: null, validUntil: null, microsPerMillion: { input: perMillion, output: perMillion } }],
    });
    const file = join(place, 'models.json');
    const models = [modelOf(MODELS.free, 0), modelOf(MODELS.paid, 100_000)];
    writeFileSync(file, JSON.stringify({ version: 'bench', models }));
    return file;
}
