import { setMaxListeners } from 'node:events';

import * as blueGreen from './rollout/blue-green.ts';
import * as canary from './rollout/canary.ts';
import { ConflictError, messageOf, RolledBackError, StuckError } from './rollout/errors.ts';
import { kubectlFor } from './rollout/kubectl.ts';
import { readOrder, type Options } from './rollout/options.ts';
import { expectKubectl } from './rollout/preflight.ts';
import { USAGE, UsageError } from './rollout/usage.ts';

import type { Rollout } from './rollout/rollout.ts';

const STEPS: Record<string, (rollout: Rollout) => Promise<void>> = {
    'blue-green begin': blueGreen.begin,
    'blue-green deploy': blueGreen.deploy,
    'blue-green test': blueGreen.test,
    'blue-green switch': blueGreen.switchOver,
    'blue-green back': blueGreen.back,
    'blue-green finish': blueGreen.finish,
    'blue-green status': blueGreen.status,
    'canary start': canary.start,
    'canary promote': canary.promote,
    'canary abort': canary.abort,
    'canary status': canary.status,
};

const EXIT_OF_SIGNAL = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** @returns The exit code */
async function run(step: string, options: Options): Promise<number> {
    const interruption = new AbortController();
    // Each pod that is watched listens to it.
    setMaxListeners(0, interruption.signal);
    const stop = (signal: NodeJS.Signals): void => interruption.abort(signal);
    for (const signal of Object.keys(EXIT_OF_SIGNAL)) process.on(signal, stop);
    // Whoever listened has gone: that must not end it half way.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
    const kubectl = kubectlFor({ ...options, signal: interruption.signal, say });
    try {
        await expectKubectl(kubectl, options, say);
        await STEPS[step]?.({ kubectl, options, say });
        return 0;
    } catch (error) {
        const { signal } = interruption;
        const isStuck = error instanceof StuckError;
        process.stderr.write(`${headline(error, signal.aborted)}: ${messageOf(error)}\n`);
        if (signal.aborted && !isStuck) return EXIT_OF_SIGNAL[signal.reason as keyof typeof EXIT_OF_SIGNAL];
        return exitCode(error);
    }
}

function headline(error: unknown, isInterrupted: boolean): string {
    if (error instanceof StuckError) return 'Failed, and left half done';
    if (error instanceof RolledBackError) return 'Rolled back';
    return isInterrupted ? 'Interrupted' : 'Not done';
}

function exitCode(error: unknown): number {
    if (error instanceof RolledBackError) return 3;
    if (error instanceof ConflictError) return 4;
    return error instanceof StuckError ? 5 : 1;
}

try {
    const { step, options } = readOrder(process.argv.slice(2));
    if (step === null) say(USAGE);
    else process.exitCode = await run(step, options);
} catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n\n${USAGE}\n`);
    process.exitCode = 2;
}
