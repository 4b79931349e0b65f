import { setTimeout as sleep } from 'node:timers/promises';

import { failureOf, offline, pauseOf, type Failure } from './failures.ts';
import { ProxyCall, type EndedCall } from './proxy-call.ts';
import { tryMember } from './try-member.ts';
import { apiError } from '../../../src/http/errors.ts';
import { isIdempotent } from '../../../src/relay/methods.ts';
import { OnceBody } from '../../../src/relay/once-body.ts';
import { isSafePath } from '../../../src/relay/safe-path.ts';

import type { Capacity, Entered } from './capacity.ts';
import type { MemberNotes } from './member-notes.ts';
import type { RelayAnswer, RelayRequest } from '../../../src/relay/types.ts';
import type { TunnelService } from '../../tunnels/api.ts';
import type { Proxy, ProxyPlace, ProxyRecords, ProxyUser } from '../api.ts';

/** A try that had less time than that would be in vain. */
const LEAST_TRY_MS = 100;

export interface RelayParts {
    records: Pick<ProxyRecords, 'use'>;
    tunnels: Pick<TunnelService, 'relay'>;
    capacity: Capacity;
    notes: MemberNotes;
    count: (place: ProxyPlace, ended: EndedCall) => void;
    /** No try begins later than that after the first, and none but the first lasts longer. */
    budgetMs: number;
    /** Gives numbers in [0, 1). */
    random: () => number;
}

/** A request that has entered its proxy. */
interface Sending extends Entered {
    user: ProxyUser;
    place: ProxyPlace;
    proxy: Proxy;
    call: ProxyCall;
    head: RelayRequest['head'];
    body: OnceBody | null;
    gone: AbortSignal;
    /** Of each member that failed, how it did the last time. */
    failures: Map<string, Failure>;
    /** When the last try may begin. */
    until: number;
}

/** Sends requests through proxies: to one member, and to another where that is harmless. */
export class RelayService {
    readonly #parts: RelayParts;

    constructor(parts: RelayParts) {
        this.#parts = parts;
    }

    /** See `ProxyService.relay`. */
    readonly relay = async (user: ProxyUser, proxyId: string, request: RelayRequest): Promise<RelayAnswer> => {
        if (!isSafePath(request.head.path)) throw apiError('MALFORMED_REQUEST');
        const { head, gone } = request;
        const { records, capacity, count } = this.#parts;
        const used = await records.use(user, proxyId);
        const place = { tenantId: user.tenantId, proxyId };
        let entered: Entered | undefined;
        const call = new ProxyCall(gone, (ended) => {
            entered?.lease.giveBack();
            count(place, ended);
        });
        try {
            entered = await capacity.enter(user, used, gone);
            call.hasWaited = entered.waitedMs !== null;
            const body = request.body && new OnceBody(request.body);
            const until = Date.now() + this.#parts.budgetMs;
            const { proxy } = used;
            return await this.#send({
                ...entered,
                user,
                place,
                proxy,
                call,
                head,
                body,
                gone,
                until,
                failures: new Map(),
            });
        } catch (error) {
            call.fail(error);
            throw error;
        }
    };

    async #send(sending: Sending): Promise<RelayAnswer> {
        const { order, proxy, lease, failures } = sending;
        for (let tries = 0; ; tries++) {
            const tunnelId = order[tries % order.length];
            if (tunnelId === undefined) throw offline(new Map());
            lease.moveTo(tunnelId);
            try {
                return await this.#try(sending, tunnelId, tries);
            } catch (error) {
                const failure = failureOf(error);
                failures.set(tunnelId, failure);
                const isLast = tries >= proxy.config.retries || !mayGoOn(sending, failure);
                if (isLast || !(await this.#pause(sending, tries + 1))) throw this.#verdict(sending, error);
            }
        }
    }

    async #try({ user, place, proxy, call, head, body, gone, until }: Sending, tunnelId: string, tries: number) {
        const { tunnels, notes } = this.#parts;
        const { timeout } = proxy.config;
        const tried = call.begin(tunnelId);
        const noteFailure = (kind: string) => notes.failure(place, tunnelId, kind);
        try {
            const answer = await tryMember(
                { head, body, gone },
                {
                    relay: (request) => tunnels.relay(user, tunnelId, request),
                    timeoutMs: tries === 0 ? timeout : Math.min(timeout, until - Date.now()),
                    onUpload: (bytes) => {
                        tried.bytesIn += bytes;
                    },
                },
            );
            // What the service itself fails with is no news of the way to it, good or bad.
            if (answer.status < 500) notes.success(place, tunnelId, Date.now() - tried.startedAt);
            return call.answered(tried, head.method, answer, noteFailure);
        } catch (error) {
            const { kind, isMembers } = failureOf(error);
            call.failed(tried, kind);
            // One that is busy is well.
            if (isMembers && kind !== 'busy' && !gone.aborted) noteFailure(kind);
            throw error;
        }
    }

    /** A member that was not tried is tried at once; before all of them are tried again there is a pause. */
    async #pause({ order, proxy, gone, until }: Sending, tries: number): Promise<boolean> {
        const again = tries - order.length;
        const pause = again < 0 ? 0 : pauseOf(proxy.config.backoff, again, this.#parts.random);
        if (Date.now() + pause + LEAST_TRY_MS > until) return false;
        // Who has gone meanwhile is no reason to fail in another way.
        if (pause > 0) await sleep(pause, undefined, { signal: gone }).catch(() => undefined);
        return !gone.aborted;
    }

    #verdict({ order, failures, gone }: Sending, error: unknown): unknown {
        const reasons = order.map((id) => [id, failures.get(id)] as const);
        const isOffline = !gone.aborted && reasons.every(([, failure]) => failure?.isOffline);
        return isOffline ? offline(new Map(reasons.map(([id, failure]) => [id, failure?.kind ?? 'offline']))) : error;
    }
}

/** Nothing of the body has gone out, and the request may be done twice or was not delivered. */
const mayGoOn = ({ body, head, gone }: Sending, { isMembers, isUndelivered }: Failure): boolean =>
    isMembers && !gone.aborted && !body?.isTouched && (isIdempotent(head.method) || isUndelivered);
