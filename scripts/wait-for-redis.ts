/**
 * Waits until Redis answers, as the init container of a pod: what starts afterwards finds it there. Ends with 1 when it
 * did not answer within the seconds that are given, two minutes unless given.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { loadConfig, type Config } from '../src/config.ts';
import { configuredAddress, type RedisAddress } from '../src/redis/address.ts';
import { connectRedis } from '../src/redis/client.ts';
import { createLogger, standardOutput, type Logger } from '../src/telemetry/logger.ts';

const PATIENCE_S = 120;
const PAUSE_MS = 1_000;

/** Why it does not answer is in the log, a line for each try. */
async function untilItAnswers(address: RedisAddress, logger: Logger): Promise<true> {
    for (;;) {
        const redis = await connectRedis(address, logger).catch(() => null);
        redis?.disconnect();
        if (redis) return true;
        await sleep(PAUSE_MS);
    }
}

/** Without the password that a URL may have. */
function placesOf(address: RedisAddress): string[] {
    if ('url' in address) return [new URL(address.url).host];
    if ('path' in address) return [address.path];
    const servers = 'cluster' in address ? address.cluster : address.sentinels;
    return servers.map(({ host, port }) => `${host}:${port}`);
}

async function wait(config: Config, patienceMs: number): Promise<number> {
    const address = configuredAddress(config);
    if (!address) return 0;
    const output = standardOutput(config.LOG_PRETTY);
    const { destination } = output;
    const logger = createLogger({ level: config.LOG_LEVEL, pretty: config.LOG_PRETTY, destination });
    const line = { module: 'wait-for-redis', redis: placesOf(address) };
    logger.info(line, 'waiting for Redis');
    const isThere = await Promise.race([untilItAnswers(address, logger), sleep(patienceMs, false)]);
    if (isThere) logger.info(line, 'Redis answers');
    else logger.error(line, 'Redis did not answer in time');
    await output.end();
    return isThere ? 0 : 1;
}

try {
    process.exit(await wait(loadConfig(process.env), Number(process.argv[2] ?? PATIENCE_S) * 1_000));
} catch (error) {
    process.stderr.write(`The wait for Redis failed: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
}
