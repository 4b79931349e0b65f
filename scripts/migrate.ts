/**
 * Brings what is stored to this program's schema, as every start does: for who wants that to be a step of its own
 * before a rollout. It may run beside replicas of the version before, and more than once; what was interrupted goes on.
 * With `--status` it only says where the store is.
 */
import { once } from 'node:events';
import { parseArgs } from 'node:util';

import { withRedis } from './with-redis.ts';
import { ConfigError, loadConfig, type Config } from '../src/config.ts';
import { createDatastore, type Datastore } from '../src/redis/datastore.ts';
import { migrate } from '../src/redis/migrate.ts';
import { MIGRATIONS, newestOf } from '../src/redis/migrations.ts';
import { Replication } from '../src/redis/replication.ts';
import { SchemaStore } from '../src/redis/schema-store.ts';
import { createLogger, standardOutput } from '../src/telemetry/logger.ts';

const say = (line: string) => process.stdout.write(`${line}\n`);

async function tellStatus(store: Datastore, program: string): Promise<void> {
    const schemas = new SchemaStore(store, '', 0);
    const [schema, history, isHeld] = await Promise.all([schemas.read(), schemas.history(), schemas.isHeld()]);
    const own = newestOf(MIGRATIONS).number;
    say(`This program, version ${program}, has schema ${own}.`);
    if (!schema) return void say('The store has none noted: no program has used it, or only some from before schemas.');
    say(`The store is at schema ${schema.number}; programs of schema ${schema.oldest} and newer can work with it.`);
    for (const { number, name, program: by, at } of history) say(`  ${number} ${name}: ${at} by version ${by}`);
    const left = MIGRATIONS.filter(({ number }) => number > schema.number);
    for (const { number, name } of left) say(`  ${number} ${name}: to be done`);
    if (schema.cursor !== '') say('The first of these has begun.');
    if (isHeld) say('A process is at it now.');
}

async function bringUpToDate(store: Datastore, config: Config): Promise<void> {
    const { VERSION, LOG_LEVEL, LOG_PRETTY, REDIS_WAIT_REPLICAS: replicas } = config;
    const replication = replicas > 0 ? new Replication(store.redis, replicas) : undefined;
    const output = standardOutput(LOG_PRETTY);
    const logger = createLogger({ level: LOG_LEVEL, pretty: LOG_PRETTY, destination: output.destination });
    const told = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
    try {
        const number = await migrate({ store, replication, logger, program: VERSION, told });
        logger.info({ module: 'migrations', schema: number }, 'The store is up to date');
    } finally {
        await output.end();
    }
}

try {
    const { status } = parseArgs({ options: { status: { type: 'boolean' } } }).values;
    const config = loadConfig(process.env);
    const silent = createLogger({ level: 'silent', pretty: false });
    await withRedis(config, silent, (redis) => {
        const store = createDatastore(redis);
        return status === true ? tellStatus(store, config.VERSION) : bringUpToDate(store, config);
    });
} catch (error) {
    const isOurs = error instanceof ConfigError || !(error instanceof Error);
    process.stderr.write(`The migration failed: ${isOurs ? String(error) : error.message}\n`);
    process.exitCode = 1;
}
