/**
 * Seals the API keys of all users and the secrets of all webhooks with the newest of VAULT_KEYS, so that older ones can
 * be taken out. Run it once every replica has the new key first in its list. It may run beside them, and more than
 * once.
 */
import { withRedis } from './with-redis.ts';
import { resealProviderKeys } from '../plugins/models/store.ts';
import { resealWebhookSecrets } from '../plugins/webhooks/secret-store.ts';
import { ConfigError, loadConfig, type Config } from '../src/config.ts';
import { createDatastore } from '../src/redis/datastore.ts';
import { checkSchema } from '../src/redis/migrate.ts';
import { Vault } from '../src/security/vault.ts';
import { createLogger } from '../src/telemetry/logger.ts';

const SEALED = [
    ['provider keys', resealProviderKeys],
    ['secrets of webhooks', resealWebhookSecrets],
] as const;

async function rotate(config: Config): Promise<number> {
    const logger = createLogger({ level: 'silent', pretty: false });
    return withRedis(config, logger, async (redis) => {
        const [store, vault] = [createDatastore(redis), new Vault(config.VAULT_KEYS)];
        await checkSchema({ store, program: config.VERSION });
        const newest = config.VAULT_KEYS.newest.id;
        let allLost = 0;
        for (const [what, reseal] of SEALED) {
            const { resealed, lost } = await reseal(store, vault);
            process.stdout.write(`${resealed} ${what} were sealed again with the master key ${newest}.\n`);
            if (lost > 0)
                process.stderr.write(
                    `${lost} ${what} were sealed with none of VAULT_KEYS: give the missing key too.\n`,
                );
            allLost += lost;
        }
        return allLost === 0 ? 0 : 1;
    });
}

try {
    process.exitCode = await rotate(loadConfig(process.env));
} catch (error) {
    const isOurs = error instanceof ConfigError || !(error instanceof Error);
    process.stderr.write(`The rotation failed: ${isOurs ? String(error) : error.message}\n`);
    process.exitCode = 1;
}
