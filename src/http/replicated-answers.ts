import { apiError } from './errors.ts';

import type { Plugin } from '@hapi/hapi';
import type { Replication } from '../redis/replication.ts';

const READS = new Set(['get', 'head', 'options']);

/** Has a change answered only when replicas of Redis have it. What is refused for that may have been done all the same. */
export const replicatedAnswers: Plugin<{ replication: Replication }> = {
    name: 'replicated-answers',
    register: (server, { replication }) => {
        server.ext('onRequest', (request, h) => {
            request.app.storeEpoch = replication.epoch;
            return h.continue;
        });
        server.ext('onPostHandler', async ({ app, method }, h) => {
            if (READS.has(method)) return h.continue;
            await replication.reached(app.storeEpoch ?? replication.epoch).catch((cause: unknown) => {
                throw apiError('STORE_UNAVAILABLE', { cause });
            });
            return h.continue;
        });
    },
};
