import { TIMEOUTS, type Timeouts } from './deadline.ts';
import { fromNameServers, fromSystem, resolveSafely, type Resolver } from './resolve.ts';
import { hostOf, parseSafeUrl, urlRefused } from './safe-url.ts';
import { SendFailure } from './send-failure.ts';
import { attempt } from './send.ts';

import type { WebhookSender } from './types.ts';
import type { Clock } from '../../../src/clock.ts';

export { matches, filterSchema } from './filter.ts';
export { mappingSchema } from './mapping.ts';
export { newSecret } from './sign.ts';
export type { Timeouts } from './deadline.ts';
export type { Resolver } from './resolve.ts';

export interface WebhookSenderOptions {
    /** Lets private addresses and plain HTTP through, for development. */
    allowPrivate: boolean;
    /** Of the timestamps that are signed. */
    clock?: Clock;
    /** Finds the addresses of names; name servers are asked unless given. */
    resolver?: Resolver;
    timeouts?: Partial<Timeouts>;
    /** Certificate authorities in place of the system's. */
    ca?: string;
}

/** Makes the sender of webhooks. It keeps no connections and no state, so there is nothing to close. */
export function createWebhookSender({
    allowPrivate,
    clock = Date.now,
    resolver = allowPrivate ? fromSystem : fromNameServers(),
    timeouts: given,
    ca,
}: WebhookSenderOptions): WebhookSender {
    const timeouts = { ...TIMEOUTS, ...given };
    const options = { allowPrivate, clock, resolver, timeouts, ca };
    return {
        check: async (url) => {
            const host = hostOf(parseSafeUrl(url, allowPrivate));
            try {
                await resolveSafely(host, { resolver, allowPrivate, timeoutMs: timeouts.resolveMs });
            } catch (error) {
                if (!(error instanceof SendFailure)) throw error;
                throw urlRefused(error.failure === 'address_refused' ? 'address' : 'unresolved');
            }
        },
        send: (destination, event, signal) => attempt(options, destination, event, signal),
    };
}
