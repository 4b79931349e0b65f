import { once } from 'node:events';
import { createServer, type Server } from 'node:http';

import type { AddressInfo } from 'node:net';

/** What pods of an image do. */
export interface Behaviour {
    version: string;
    /** The registry has no such image. */
    isMissing?: boolean;
    /** The pods do not become ready. */
    isStuck?: boolean;
    /** What `/health/ready` answers to who asks it, once the pod is ready. */
    readyStatus?: number;
    /** How many requests of clients it has served from one look at its metrics to the next, and how many failed. */
    requests?: number;
    errors?: number;
    /** Each of them took so many seconds. */
    seconds?: number;
    /** The port of a real API that answers in its place. */
    port?: number;
}

export const PASSWORD = 'correct horse battery staple';
const BOUNDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1];

export interface PodServer {
    port: number;
    close: () => void;
}

/** What listens in a pod. */
export async function startPod(behaviour: Behaviour): Promise<PodServer> {
    let looks = 0;
    const server: Server = createServer((request, response) => {
        const { url = '', method, headers } = request;
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => chunks.push(chunk));
        request.on('end', () => {
            if (url === '/metrics') return void response.end(metricsOf(behaviour, ++looks));
            const body = chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString());
            const [status, answer] = answerOf(behaviour, `${method} ${url}`, headers.authorization, body);
            response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
            response.end(JSON.stringify(answer));
        });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return {
        port: (server.address() as AddressInfo).port,
        close: () => {
            server.close();
            server.closeAllConnections();
        },
    };
}

const refused = (code: string) => ({ success: false, error: { code } });

// oxlint-disable-next-line typescript/no-explicit-any -- whatever was sent
function answerOf(behaviour: Behaviour, what: string, authorization: string | undefined, body: any): [number, object] {
    const { version, readyStatus = 200 } = behaviour;
    if (what === 'GET /health/ready') return [readyStatus, { success: readyStatus === 200 }];
    if (what === 'POST /api/auth/login') {
        const isRight = body.password === PASSWORD;
        return isRight
            ? [200, { success: true, data: { accessToken: 'token' } }]
            : [401, refused('INVALID_CREDENTIALS')];
    }
    if (authorization !== 'Bearer token') return [401, refused('UNAUTHENTICATED')];
    if (what === 'GET /api/version') return [200, { success: true, data: { version, commit: `of-${version}` } }];
    if (what === 'GET /api/models') return [200, { success: true, data: { models: [{ id: 'sandbox' }] } }];
    if (what === 'POST /v1/chat/completions') return [200, { choices: [{ message: { content: '1 2 3' } }] }];
    return what === 'POST /api/auth/logout' ? [200, { success: true }] : [404, refused('NOT_FOUND')];
}

function metricsOf({ version, requests = 100, errors = 0, seconds = 0.02 }: Behaviour, looks: number): string {
    const labels = 'method="GET",route="/api/threads"';
    const served = requests * looks;
    const failed = errors * looks;
    return [
        `app_info{version="${version}",role="api"} 1`,
        `http_requests_total{method="GET",route="/health/ready",status="500"} ${looks * 1_000}`,
        `http_requests_total{${labels},status="200"} ${served - failed}`,
        `http_requests_total{${labels},status="503"} ${failed}`,
        ...[...BOUNDS, Infinity].map((bound) => {
            const le = bound === Infinity ? '+Inf' : bound;
            return `http_request_duration_seconds_bucket{le="${le}",${labels},status="200"} ${seconds <= bound ? served : 0}`;
        }),
        '',
    ].join('\n');
}
