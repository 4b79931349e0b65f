import type { Plugin } from '@hapi/hapi';
import type { Drain } from '../drain.ts';
import type { Logger } from '../telemetry/logger.ts';

interface ConnectionsOptions {
    drain: Pick<Drain, 'isLeaving'>;
    logger: Logger;
}

/**
 * Longer than load balancers keep a connection that nobody uses, most of them for a minute: one that we closed first
 * could be closed under a request that is on its way.
 */
const KEEP_ALIVE_MS = 75_000;

/**
 * Keeps connections for further requests, until the process leaves: then each answer says that it was the last. A
 * client that resets one, or speaks no HTTP, is no error of ours.
 */
export const connections: Plugin<ConnectionsOptions> = {
    name: 'connections',
    register: (server, { drain, logger }) => {
        server.listener.keepAliveTimeout = KEEP_ALIVE_MS;
        server.ext('onPreResponse', ({ raw }, h) => {
            if (drain.isLeaving && !raw.res.headersSent) raw.res.setHeader('connection', 'close');
            return h.continue;
        });
        server.events.on({ name: 'log', filter: 'client' }, ({ error }) => {
            logger.debug({ module: 'http', err: error }, 'A client broke its connection off');
        });
    },
};
