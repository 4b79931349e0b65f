import { setTimeout as sleep } from 'node:timers/promises';

import { isStoreUnavailable } from '../../src/redis/client.ts';

import type { Clock } from '../../src/clock.ts';
import type { Logger } from '../../src/telemetry/logger.ts';

/** How long an answer is held for a store that is away, before it is given up. */
const PATIENCE_MS = 60_000;
const RETRY_MS = 500;

/** Does work on the store again while it is away: an answer that was paid for is not thrown away. */
export async function withPatience<Result>(
    work: () => Promise<Result>,
    { clock, logger, hurry }: { clock: Clock; logger: Logger; hurry: AbortSignal },
): Promise<Result> {
    const deadline = clock() + PATIENCE_MS;
    for (;;) {
        try {
            return await work();
        } catch (error) {
            if (!isStoreUnavailable(error) || clock() > deadline || hurry.aborted) throw error;
            logger.warn({ err: error }, 'An answer could not be stored; trying again');
            await sleep(RETRY_MS);
        }
    }
}
