import { RelayFailure, type TunnelService } from './api.ts';
import { linkStatus } from './public-tunnel.ts';
import { apiError } from '../../src/http/errors.ts';
import { watchBody } from '../../src/relay/watch-body.ts';

import type { TunnelStore } from './store.ts';
import type { Clock } from '../../src/clock.ts';
import type { ModelSource } from '../models/api.ts';

/** Of one's own, and of what others share, the newest are looked at. */
const LOOKED_AT = 100;

export interface ModelSourceParts {
    tunnels: Pick<TunnelService, 'get' | 'relay'>;
    store: TunnelStore;
    clock: Clock;
}

/** What is behind users' tunnels, for calls of models. */
export const modelSource = ({ tunnels, store, clock }: ModelSourceParts): ModelSource => ({
    async request(user, tunnelId, request) {
        const answer = await tunnels.relay(user, tunnelId, request);
        return { ...answer, body: watchBody(answer.body, { toFailure }) };
    },

    async check(user, tunnelId) {
        await tunnels.get(user, tunnelId, 'read');
    },

    async connected({ tenantId, userId: ownerId }, most) {
        const lists = ['created', 'shared'].map((order) =>
            store.records.list({ tenantId, ownerId }, { order, direction: 'desc', limit: LOOKED_AT }),
        );
        const found = (await Promise.all(lists)).flatMap(({ items }) => items);
        return found.filter((tunnel) => linkStatus(tunnel, clock()).isConnected).slice(0, most);
    },
});

/** What an answer breaks off with. */
function toFailure(cause: unknown): unknown {
    const fault = cause instanceof RelayFailure ? cause.fault : 'internal';
    if (fault === 'timeout') return apiError('TUNNEL_TIMEOUT', { cause });
    return apiError('TUNNEL_ERROR', { details: { reason: fault }, cause });
}
