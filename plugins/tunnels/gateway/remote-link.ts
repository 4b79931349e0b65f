import { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';

import { SIGNATURE, sign } from './signature.ts';
import { RelayFailure, type RelayFault, type Way } from './way.ts';
import { forClient, headerPairs } from '../../../src/relay/headers.ts';
import { watchBody } from '../../../src/relay/watch-body.ts';

import type { Dispatcher } from 'undici';
import type { LinkDiagnosis } from './diagnose-link.ts';
import type { LinkOwner } from './registry-store.ts';
import type { RelayAnswer, RelayRequest } from '../../../src/relay/types.ts';
import type { TunnelPlace } from '../api.ts';

/** The header in which the replica that holds the link says why there is no answer; empty when there is one. */
export const FAULT = 'x-internal-fault';

const FAULTS = new Set<string>([
    'cancelled',
    'refused',
    'unreachable',
    'timeout',
    'protocol',
    'too_large',
    'internal',
    'offline',
    'moved',
    'busy',
    'lost',
] satisfies RelayFault[]);
const isFault = (text: string): text is RelayFault => FAULTS.has(text);

/** Where the internal listener finds a link. */
export const internalPath = ({ tenantId, tunnelId }: TunnelPlace, connectionId: string, path: string): string =>
    `/tunnels/${tenantId}/${tunnelId}/${connectionId}${path}`;

/** Where it finds out how a link is. */
export const diagnosisPath = ({ tenantId, tunnelId }: TunnelPlace, connectionId: string): string =>
    `/diagnosis/${tenantId}/${tunnelId}/${connectionId}`;

export interface RemoteParts {
    dispatcher: Dispatcher;
    key: string;
    now: () => number;
}

/** A link that another replica holds: the request is handed to that replica, once. */
export class RemoteLink implements Way {
    readonly #place: TunnelPlace;
    readonly #owner: LinkOwner;
    readonly #parts: RemoteParts;

    constructor(place: TunnelPlace, owner: LinkOwner, parts: RemoteParts) {
        this.#place = place;
        this.#owner = owner;
        this.#parts = parts;
    }

    async send({ head, body, gone }: RelayRequest): Promise<RelayAnswer> {
        const { method, headers } = head;
        const path = internalPath(this.#place, this.#owner.connectionId, head.path);
        const plain = headers.filter(([name]) => name !== 'transfer-encoding');
        const answer = await this.#ask({ head: { method, path, headers: plain }, body, gone });
        return { ...answer, headers: forClient(answer.headers), body: orLost(answer.body) };
    }

    /** What the replica that holds the link finds out about it. @throws RelayFailure */
    async diagnose(gone: AbortSignal): Promise<LinkDiagnosis> {
        const path = diagnosisPath(this.#place, this.#owner.connectionId);
        const { body } = await this.#ask({ head: { method: 'GET', path, headers: [] }, body: null, gone });
        return (await json(orLost(body))) as LinkDiagnosis;
    }

    async #ask(request: RelayRequest): Promise<RelayAnswer> {
        const answer = await this.#request(request);
        const headers = headerPairs(answer.headers as unknown as string[]);
        const fault = headers.find(([name]) => name === FAULT)?.[1];
        if (fault === '') return { status: answer.statusCode, headers, body: answer.body };
        answer.body.on('error', () => undefined).destroy();
        throw new RelayFailure(fault !== undefined && isFault(fault) ? fault : 'internal');
    }

    async #request({ head, body, gone }: RelayRequest) {
        const { dispatcher, key, now } = this.#parts;
        const { method, path, headers } = head;
        try {
            return await dispatcher.request({
                origin: `http://${this.#owner.address}`,
                path,
                method: method as Dispatcher.HttpMethod,
                headers: [...headers, [SIGNATURE, sign(key, { method, path }, now())]].flat(),
                body: body && Readable.from(body, { objectMode: false }),
                signal: gone,
                responseHeaders: 'raw',
            });
        } catch (error) {
            if (gone.aborted) throw new RelayFailure('cancelled', { cause: error });
            // Nothing of it was sent: whoever is asked next may have it.
            const isUnsent = error instanceof Error && 'code' in error && UNSENT.has(String(error.code));
            throw new RelayFailure(isUnsent ? 'moved' : 'lost', { cause: error });
        }
    }
}

const UNSENT = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'UND_ERR_CONNECT_TIMEOUT']);

const orLost = (body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> =>
    watchBody(body, { toFailure: (error) => new RelayFailure('lost', { cause: error }) });
