/** The program of `startMigrating`: `<socket> <lease in ms> <ms for each tenant or step> <schema>`. */
import { testMigrations } from './migrations.ts';
import { connectPatiently } from './redis.ts';
import { createDatastore } from '../../src/redis/datastore.ts';
import { migrate } from '../../src/redis/migrate.ts';
import { createLogger } from '../../src/telemetry/logger.ts';

const [path = '', leaseMs, delayMs, schema] = process.argv.slice(2);
const logger = createLogger({ level: 'info', pretty: false, destination: process.stdout });
const redis = await connectPatiently({ path }, logger);
const migrations = testMigrations(Number(delayMs)).filter(({ number }) => number <= Number(schema));
const program = `0.${String(schema)}.0`;
try {
    await migrate({ store: createDatastore(redis), logger, program, migrations, leaseMs: Number(leaseMs) });
} catch (error) {
    process.exitCode = 1;
    logger.error({ err: error }, 'Not migrated');
}
redis.disconnect();
