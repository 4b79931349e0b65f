import { ConfigError, loadConfig } from './config.ts';
import { run } from './run.ts';

try {
    const exitCode = await run(loadConfig(process.env));
    process.exit(exitCode);
} catch (error) {
    const isOurs = error instanceof ConfigError;
    process.stderr.write(`The start failed: ${isOurs || !(error instanceof Error) ? String(error) : error.message}\n`);
    process.exit(1);
}
