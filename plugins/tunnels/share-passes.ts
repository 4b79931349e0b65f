import { openToken } from './tokens.ts';

import type { CallCounter } from './call-counter.ts';
import type { LinkStore } from './link-store.ts';
import type { Passes } from '../auth/api.ts';

/** The tokens of shares: each opens the traffic of its own tunnel, as if its owner called. */
export const sharePasses = (links: Pick<LinkStore, 'admitShare'>, counter: Pick<CallCounter, 'use'>): Passes => ({
    prefix: 'share_',
    permissions: ['tunnel:read'],
    open(text, { tunnelId = '' }) {
        const opened = openToken('share', text);
        if (opened === null) return null;
        const { tenantId, id, hash: digest } = opened;
        const place = { tenantId, tunnelId };
        return {
            tenantId,
            id,
            digest,
            async judge(judgement) {
                const reply = await links.admitShare(place, id, judgement);
                if (reply[0] === 1) counter.use(place, id, true);
                return reply;
            },
        };
    },
});
