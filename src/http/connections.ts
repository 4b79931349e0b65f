import type { Plugin } from '@hapi/hapi';
import type { Drain } from '../drain.ts';

/**
 * Longer than load balancers keep a connection that nobody uses, most of them for a minute: one that we closed first
 * could be closed under a request that is on its way.
 */
const KEEP_ALIVE_MS = 75_000;

/** Keeps connections for further requests, until the process leaves: then each answer says that it was the last. */
export const connections: Plugin<{ drain: Pick<Drain, 'isLeaving'> }> = {
    name: 'connections',
    register: (server, { drain }) => {
        server.listener.keepAliveTimeout = KEEP_ALIVE_MS;
        server.ext('onPreResponse', ({ raw }, h) => {
            if (drain.isLeaving && !raw.res.headersSent) raw.res.setHeader('connection', 'close');
            return h.continue;
        });
    },
};
