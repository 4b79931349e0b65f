import type { Actor } from './actor.ts';
/// <reference types="hapi-pino" />
import type { RateLimit, RateState } from '../http/rate-limit.ts';

declare module '@hapi/hapi' {
    interface ReqRefDefaults {
        AuthCredentialsExtra: { actor: Actor };
    }

    interface RequestApplicationState {
        requestId: string;
        /** The tightest limit that the request counted against. */
        rate?: RateState;
    }

    interface RouteOptionsApp {
        /** Set by `describeRoute`: the status of a success; its answer goes into the envelope. */
        status?: number;
        /** Of the user where the route needs one, of the IP address elsewhere. */
        rateLimit?: RateLimit;
    }
}
