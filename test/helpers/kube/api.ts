import { once } from 'node:events';
import { createServer } from 'node:https';
import { json } from 'node:stream/consumers';

import { generate } from 'selfsigned';

import { discovery } from './discovery.ts';
import { patched, type Json } from './patch.ts';
import { forwardPorts } from './port-forward.ts';

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ObjectStore, WatchEvent } from './store.ts';

export interface KubeApiOptions {
    store: ObjectStore;
    hasGateway: boolean;
    /** Where a port of a pod is really: on which of this machine. */
    portOf: (pod: string, port: number) => number | undefined;
}

/** What was changed by a request: its path behind the namespace, and the patch. */
export interface Change {
    path: string;
    patch: Json;
}

export interface KubeApi {
    /** For `KUBECONFIG`. */
    kubeconfig: string;
    changes: Change[];
    /** Of all requests. */
    methods: Set<string>;
    /** The next change of that path is refused, as another one was quicker. */
    refuse: (path: string) => void;
    /** The next change of that path is made, but nobody hears so. */
    lose: (path: string) => void;
    close: () => Promise<void>;
}

export const NAMESPACE = 'llm-api-layer';
const TOKEN = 'token-of-the-operator';
const OBJECT = /^\/apis?\/(?:[^/]+\/)?v1\/namespaces\/llm-api-layer\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/;

/** The part of the API of a cluster that `kubectl` needs for a rollout, over TLS. */
export async function startKubeApi({ store, hasGateway, portOf }: KubeApiOptions): Promise<KubeApi> {
    const { cert, private: key } = await generate([{ name: 'commonName', value: '127.0.0.1' }], {
        // Each command shakes hands anew.
        keyType: 'ec',
        extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
    });
    const namespace = { kind: 'Namespace', apiVersion: 'v1', metadata: { name: NAMESPACE } };
    const documents: Record<string, Json> = {
        ...discovery(hasGateway),
        [`/api/v1/namespaces/${NAMESPACE}`]: namespace,
        '/version': { major: '1', minor: '32', gitVersion: 'v1.32.0' },
    };
    const changes: Change[] = [];
    const methods = new Set<string>();
    const refused: string[] = [];
    const lost: string[] = [];

    const change = async (request: IncomingMessage, way: string[]): Promise<Json> => {
        const [resource = '', name = ''] = way;
        const path = way.join('/');
        const patch = (await json(request)) as Json;
        const isStrategic = request.headers['content-type']?.includes('strategic') === true;
        const object = store.get(resource, name);
        if (!object) return notFound(resource, name);
        const { resourceVersion } = patch.metadata ?? {};
        const isStale = resourceVersion !== undefined && resourceVersion !== object.metadata.resourceVersion;
        const at = refused.indexOf(path);
        if (at !== -1) refused.splice(at, 1);
        if (isStale || at !== -1) return conflict(resource, name);
        changes.push({ path, patch });
        const result = store.put(resource, patched(object, patch, isStrategic));
        const lostAt = lost.indexOf(path);
        if (lostAt === -1) return result;
        lost.splice(lostAt, 1);
        return failure(500, 'InternalError', 'the connection to the store was lost');
    };

    const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
        methods.add(request.method ?? '');
        const { pathname, searchParams } = new URL(request.url ?? '', 'https://cluster');
        if (request.headers.authorization !== `Bearer ${TOKEN}`)
            return send(response, failure(401, 'Unauthorized', ''));
        const document = documents[pathname];
        if (document) return send(response, document);
        const [, resource = '', ...way] = OBJECT.exec(pathname) ?? [];
        if (way[0] === undefined) return list(store, resource, searchParams, response);
        return send(response, await object(request, resource, way[0], way[1]));
    };

    const object = async (request: IncomingMessage, resource: string, name: string, part?: string): Promise<Json> => {
        const way = part === undefined ? [resource, name] : [resource, name, part];
        const found = store.get(resource, name) ?? notFound(resource, name);
        const result = request.method === 'PATCH' ? await change(request, way) : found;
        return part === 'scale' && result.kind !== 'Status' ? scaleOf(result) : result;
    };

    const server = createServer({ cert, key }, (request, response) => void answer(request, response));
    const sockets = new Set<Duplex>();
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
        sockets.add(socket);
        methods.add('upgrade');
        const [, , pod = ''] = OBJECT.exec(new URL(request.url ?? '', 'https://cluster').pathname) ?? [];
        forwardPorts(request, socket, head, (port) => portOf(pod, port));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return {
        kubeconfig: kubeconfig((server.address() as AddressInfo).port, cert),
        changes,
        methods,
        refuse: (path) => void refused.push(path),
        lose: (path) => void lost.push(path),
        close: async () => {
            server.close();
            server.closeAllConnections();
            for (const socket of sockets) socket.destroy();
            await once(server, 'close');
        },
    };
}

function kubeconfig(port: number, certificate: string): string {
    const cluster = {
        server: `https://127.0.0.1:${port}`,
        'certificate-authority-data': Buffer.from(certificate).toString('base64'),
    };
    return JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name: 'test', cluster }],
        users: [{ name: 'operator', user: { token: TOKEN } }],
        contexts: [{ name: 'test', context: { cluster: 'test', user: 'operator' } }],
        'current-context': 'test',
    });
}

const failure = (code: number, reason: string, message: string): Json => ({
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    code,
    reason,
    message,
});

const notFound = (resource: string, name: string): Json => failure(404, 'NotFound', `${resource} "${name}" not found`);

const conflict = (resource: string, name: string): Json =>
    failure(
        409,
        'Conflict',
        `Operation cannot be fulfilled on ${resource} "${name}": the object has been modified; please apply your changes`,
    );

function send(response: ServerResponse, body: Json): void {
    response.writeHead(body.kind === 'Status' ? body.code : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
}

const scaleOf = ({ metadata, spec, status }: Json): Json => ({
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata,
    spec: { replicas: spec.replicas },
    status: { replicas: status?.replicas ?? 0 },
});

function list(store: ObjectStore, resource: string, query: URLSearchParams, response: ServerResponse): void {
    const first = store.list(resource)[0];
    if (!first && resource !== 'pods') return send(response, failure(404, 'NotFound', 'page not found'));
    const isMeant = selection(query);
    if (query.get('watch') === null) {
        const items = store.list(resource).filter(isMeant);
        const { apiVersion = 'v1', kind = 'Pod' } = first ?? {};
        return send(response, { kind: `${kind}List`, apiVersion, metadata: { resourceVersion: store.version }, items });
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const tell = (event: WatchEvent): void => void response.write(`${JSON.stringify(event)}\n`);
    const since = Number(query.get('resourceVersion') ?? 0);
    for (const object of store.list(resource).filter(isMeant)) {
        if (Number(object.metadata.resourceVersion) > since) tell({ type: 'MODIFIED', object });
    }
    const stop = store.watch((changed, event) => {
        if (changed === resource && isMeant(event.object)) tell(event);
    });
    response.on('close', stop);
}

function selection(query: URLSearchParams): (object: Json) => boolean {
    const [, name] = /^metadata\.name=(.+)$/.exec(query.get('fieldSelector') ?? '') ?? [];
    const labels = (query.get('labelSelector') ?? '').split(',').filter((pair) => pair !== '');
    return ({ metadata }) =>
        (name === undefined || metadata.name === name) &&
        labels.every(
            (pair) => metadata.labels?.[pair.slice(0, pair.indexOf('='))] === pair.slice(pair.indexOf('=') + 1),
        );
}
