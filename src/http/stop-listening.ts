import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import type { Server } from '@hapi/hapi';

const LOOK_EVERY_MS = 20;

/**
 * Takes no new connections, and waits until the open ones have ended, but no longer than that: time in which what was
 * asked for already can begin.
 */
export async function stopListening({ listener }: Pick<Server, 'listener'>, longestMs: number): Promise<void> {
    const until = performance.now() + longestMs;
    const connections = promisify(listener.getConnections.bind(listener));
    listener.close();
    while ((await connections()) > 0 && performance.now() < until) {
        await sleep(LOOK_EVERY_MS);
        // Those whose answer has ended meanwhile, of which its head could not say that it would be the last.
        listener.closeIdleConnections();
    }
}
