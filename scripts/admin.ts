import { readOrder } from './admin/commands.ts';
import { printed } from './admin/print.ts';
import { USAGE, UsageError } from './admin/usage.ts';
import { withFeatures } from './operator.ts';
import { loadConfig } from '../src/config.ts';
import { errorBody, isApiError } from '../src/http/errors.ts';
import { operatorAtTheShell } from '../src/operator.ts';

import type { Act } from './admin/command.ts';

/** @returns The exit code */
async function run(act: Act, isJson: boolean): Promise<number> {
    const actor = operatorAtTheShell();
    try {
        const result = await withFeatures(loadConfig(process.env), (server) => act(server, actor));
        process.stdout.write(isJson ? `${JSON.stringify(result)}\n` : printed(result));
        return 0;
    } catch (error) {
        if (!isApiError(error)) throw error;
        const body = errorBody(error, actor.requestId);
        const { code, message, details } = body;
        const more = details ? ` ${JSON.stringify(details)}` : '';
        process.stderr.write(isJson ? `${JSON.stringify({ error: body })}\n` : `Not done: ${code} ${message}${more}\n`);
        return 1;
    }
}

try {
    const { act, isJson } = await readOrder(process.argv.slice(2));
    if (act) process.exitCode = await run(act, isJson);
    else process.stdout.write(`${USAGE}\n`);
} catch (error) {
    const isUsage = error instanceof UsageError;
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(isUsage ? `${message}\n\n${USAGE}\n` : `It failed: ${message}\n`);
    process.exitCode = isUsage ? 2 : 1;
}
