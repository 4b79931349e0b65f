import type { Actor } from './actor.ts';
/// <reference types="hapi-pino" />
import type { AnswerForm } from '../http/answer-form.ts';
import type { Client } from '../http/client-address.ts';
import type { Deprecation } from '../http/deprecation.ts';
import type { ErrorCode } from '../http/errors.ts';
import type { RateLimit, RateState } from '../http/rate-limit.ts';
import type { ServerSentEvent } from '../http/sse.ts';
import type { Epoch } from '../redis/replication.ts';

declare module '@hapi/hapi' {
    interface ReqRefDefaults {
        AuthCredentialsExtra: { actor: Actor };
    }

    interface RequestApplicationState {
        requestId: string;
        client: Client;
        /** The tightest limit that the request counted against. */
        rate?: RateState;
        /** The catalogue code that it was refused with. */
        errorCode?: ErrorCode;
        /** It was answered with what another request with its Idempotency-Key did. */
        isReplayed?: boolean;
        /** By the process' own clock, in milliseconds: when it came, and when the answer of an event stream began. */
        beganAt?: number;
        answeredAt?: number;
        /** What its changes have to reach the replicas of Redis in, where that is waited for. */
        storeEpoch?: Epoch;
    }

    interface RouteOptionsApp {
        /** Set by `describeRoute`: the status of a success; its answer goes into the envelope. */
        status?: number;
        /** The answer has this form instead of the envelope. */
        form?: AnswerForm;
        /** Of the user where the route needs one, of the IP address elsewhere. */
        rateLimit?: RateLimit;
        /** It does not count against the quota of the month; see `describeRoute`. */
        isQuotaFree?: boolean;
        /** It is admitted while the tenant is being restored; see `describeRoute`. */
        whileRestoring?: boolean;
        /** It is public and served in maintenance; see `describeRoute`. */
        inMaintenance?: true;
        /** What the route itself fails with: for the OpenAPI document. */
        errors?: ErrorCode[];
        /** The content types of a body and of an answer that are bytes: for the OpenAPI document. */
        takesBinary?: string[];
        answersBinary?: string[];
        byteExamples?: Record<string, string>;
        /** It is to be withdrawn. */
        deprecated?: Deprecation;
        /** Of a route whose answer may be an event stream: for the OpenAPI document. */
        streamExample?: ServerSentEvent[] | string;
        /** Of an answer as text in place of JSON. */
        textExample?: { type: string; text: string };
        /** It is refused first when the server is busy. */
        isExpensive?: true;
        /** It is refused while Redis is nearly full. */
        grows?: true;
        /** Of a route that takes an Idempotency-Key; see `describeRoute`. */
        idempotent?: true | 'required' | 'shared';
    }
}
