#!/usr/bin/env node
import { TunnelAgent } from './agent.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { readOptions, usage, UsageError, type AgentOptions } from './options.ts';
import { createReporter } from './reporter.ts';

process.exit(await main());

async function main(): Promise<ExitCode> {
    const options = read();
    if (options === 'help') {
        process.stdout.write(usage);
        return exitCodes.stopped;
    }
    if (options === null) return exitCodes.wrongUsage;
    const reporter = createReporter(process.stdout);
    if (options.url.protocol === 'http:' && !/^(localhost|127\..*|\[::1\])$/.test(options.url.hostname)) {
        reporter.tell('warn', 'The token goes out unencrypted: use https://');
    }
    const agent = new TunnelAgent(options, reporter);
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
        process.once(name, () => {
            agent.stop();
            // Who asks twice does not want to wait.
            process.once(name, () => process.exit(exitCodes.stopped));
        });
    }
    return agent.run();
}

function read(): AgentOptions | 'help' | null {
    try {
        return readOptions(process.argv.slice(2), process.env);
    } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        process.stderr.write(`${error.message}\nSee llm-tunnel --help\n`);
        return null;
    }
}
