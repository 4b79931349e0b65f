/**
 * Run by itself with the socket of a Redis and settings in JSON: the program with a worker on that Redis, which does
 * not wait for requests that were admitted before a restore. It prints `working` when it does.
 */
import { startApp, testConfig } from './app.ts';

const [redisPath = '', settings = '{}'] = process.argv.slice(2);

const environment = JSON.parse(settings) as Record<string, string>;
await startApp({ redisPath, worker: true, config: testConfig(environment) });
process.stdout.write('working');
