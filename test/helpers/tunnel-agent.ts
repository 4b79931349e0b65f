import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { WebSocketServer } from 'ws';

import { TunnelAgent, type AgentTimings } from '../../plugins/tunnels/agent/agent.ts';
import { readOptions } from '../../plugins/tunnels/agent/options.ts';
import { SOCKET_SETTINGS } from '../../plugins/tunnels/link/limits.ts';
import { Link } from '../../plugins/tunnels/link/link.ts';
import { packageRoot } from '../../src/package-root.ts';

import type { AddressInfo, Socket } from 'node:net';
import type { ExitCode } from '../../plugins/tunnels/agent/exit-codes.ts';
import type { Reporter } from '../../plugins/tunnels/agent/reporter.ts';
import type { EndpointHealth, Hello, RelayAnswer } from '../../plugins/tunnels/link/types.ts';

export const TUNNEL_ID = 'tun_01K9ZQ4V7N8M3T5R2W6X1Y0ABC';
export const TOKEN = `tun_01K9ZQ4V7N8M3T5R2W6X1Y0AAA${TUNNEL_ID.slice(4)}_${'s'.repeat(43)}`;

/** The API's end of one agent's link, with no API behind it. */
export interface StandInGateway {
    url: string;
    /** Every link so far, the newest last. */
    links: Link[];
    hellos: Hello[];
    healths: EndpointHealth[][];
    requests: { path: string; authorization: string }[];
    /** Answers upgrades with that status instead. */
    refuse: (status: number | null) => void;
    /** Waits for so many links, with the greeting of each. */
    untilLinks: (count: number) => Promise<Link>;
    stop: () => Promise<void>;
}

export async function startStandInGateway(): Promise<StandInGateway> {
    const server = createServer();
    const sockets = new WebSocketServer({ noServer: true, ...SOCKET_SETTINGS });
    const open = new Set<Socket>();
    let status: number | null = null;
    const gateway: StandInGateway = {
        url: '',
        links: [],
        hellos: [],
        healths: [],
        requests: [],
        refuse: (given) => (status = given),
        untilLinks: async (count) => {
            await until(() => gateway.hellos.length >= count);
            return gateway.links[count - 1] as Link;
        },
        stop: async () => {
            for (const socket of open) socket.destroy();
            await close(server);
        },
    };
    server.on('connection', (socket) => {
        open.add(socket);
        socket.once('close', () => open.delete(socket));
    });
    server.on('upgrade', (request, socket, head) => {
        gateway.requests.push({ path: request.url ?? '', authorization: request.headers.authorization ?? '' });
        if (status !== null)
            return socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
        sockets.handleUpgrade(request, socket, head, (opened) => {
            const link = new Link(opened, 'gateway', {
                onHello: (hello) => gateway.hellos.push(hello),
                onHealth: (health) => gateway.healths.push(health),
            });
            gateway.links.push(link);
        });
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    gateway.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return gateway;
}

export interface RunningAgent {
    agent: TunnelAgent;
    told: string[];
    exit: Promise<ExitCode>;
    stop: () => Promise<ExitCode>;
}

/** An agent in this process. */
export function runAgent(
    url: string,
    targets: string[],
    changed: Partial<AgentTimings> = {},
    more: string[] = [],
    token = TOKEN,
) {
    const told: string[] = [];
    const reporter: Reporter = {
        tell: (_level, message) => void told.push(message),
        relayed: () => undefined,
        status: () => undefined,
        end: () => undefined,
    };
    const named = targets.flatMap((target) => ['--target', target]);
    const options = readOptions(['--url', url, '--token', token, ...named, ...more], {});
    if (options === 'help') throw new Error('No options');
    const agent = new TunnelAgent(options, reporter, { reconnectDelay: () => 10, patientMs: 20, ...changed });
    const exit = agent.run();
    const stop = () => {
        agent.stop();
        return exit;
    };
    return { agent, told, exit, stop } satisfies RunningAgent;
}

/** `llm-tunnel` as a process of its own. */
export interface AgentProcess {
    pid: number;
    exit: Promise<number | null>;
    output: () => { stdout: string; stderr: string };
    stop: (signal?: NodeJS.Signals) => Promise<number | null>;
}

export function spawnAgent(args: string[], environment: Record<string, string> = {}): AgentProcess {
    const { PATH = '', HOME = '', NODE_V8_COVERAGE } = process.env;
    const coverage = NODE_V8_COVERAGE !== undefined && { NODE_V8_COVERAGE };
    const child = spawn(process.execPath, [join(packageRoot(), 'dist/plugins/tunnels/agent/main.js'), ...args], {
        env: { PATH, HOME, ...coverage, ...environment },
        stdio: ['ignore', 'pipe', 'pipe'],
    });
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    const output = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
    const exit = once(child, 'close').then(([code]) => {
        process.off('exit', kill);
        return code as number | null;
    });
    return {
        pid: child.pid ?? 0,
        exit,
        output: () => ({ ...output }),
        stop: (signal = 'SIGTERM') => {
            child.kill(signal);
            return exit;
        },
    };
}

export async function until(isSo: () => boolean | Promise<boolean>, patienceMs = 20_000): Promise<void> {
    const deadline = Date.now() + patienceMs;
    // Ever more seldom: what asks the API must not spend what its user may ask in a minute.
    for (let pause = 5; !(await isSo()); pause = Math.min(500, pause * 1.2)) {
        if (Date.now() > deadline) throw new Error('It did not come to that');
        await sleep(pause);
    }
}

export async function close(server: Server): Promise<void> {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
}

/** The whole body of an answer, as text. */
export async function textOf({ body }: Pick<RelayAnswer, 'body'>): Promise<string> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
}
