import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { request } from 'undici';

import { withContestants, type Contestant } from '../contestant.ts';
import { median, ratioFigures, type Figures } from '../figures.ts';
import { load, type LoadRequest } from '../load.ts';
import { BULK_BYTES, BULK_PATH, SMALL_PATH } from '../processes/tunnel-paths.ts';

import type { Part } from '../scene.ts';
import type { SeededUser } from '../seed.ts';

/** So many that nobody meets a limit. */
const BUSY = 300;
const IDLE = 1_000;
const SETTLE_MS = 3_000;
const ROUNDS = 5;
const WARM_UP_MS = 6_000;
const SLICE_MS = 1_500;
const CONNECTIONS = 48;
const BULK_AT_ONCE = 2;
const STARTED_AT_ONCE = 20;

interface Tunnel {
    id: string;
    /** Of the agent. */
    token: string;
    user: SeededUser;
}

/**
 * What a tunnel costs beside plain HTTP: requests of 1 KB per second and the gateway's processor time for each, beside
 * a bare relay to the same service; bytes per second, beside the service itself; and what a tunnel that is connected
 * and idle takes of the process's memory.
 */
export const measureTunnels: Part = ({ api, users, folder }) =>
    withContestants(async (start) => {
        const service = await start('dist/scripts/bench/processes/service.js', {}, { isMeasured: false });
        const relay = await start('dist/scripts/bench/processes/relay.js', { UPSTREAM: service.url });
        const connect = (tunnels: Tunnel[]): Promise<Contestant> => {
            const file = join(folder, 'tokens');
            writeFileSync(file, tunnels.map(({ token }) => token).join('\n'), { mode: 0o600 });
            const agents = { API_URL: api.url, TARGET: service.url, TOKENS: file };
            return start('dist/scripts/bench/processes/agents.js', agents, { isMeasured: false });
        };
        const tunnels = await makeTunnels(api, users.slice(0, BUSY + IDLE));
        const busy = tunnels.slice(0, BUSY);
        const agents = await connect(busy);
        // Before there is a load, whose garbage would make room for them.
        const before = await settledRss(api);
        const idle = await connect(tunnels.slice(BUSY));
        const kilobytes = ((await settledRss(api)) - before) / IDLE / 1024;
        await idle.stop();
        const small = await measureSmall({ api, relay }, busy);
        const bulk = await measureBulk({ api, service, agents }, busy);
        return { ...small, ...bulk, 'idle tunnel': { tunnels: IDLE, kilobytes } };
    });

/** A tunnel for each user, that takes a link. */
async function makeTunnels({ url }: Contestant, users: SeededUser[]): Promise<Tunnel[]> {
    const post = async (path: string, { token }: SeededUser, body: object) => {
        const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
        const answer = await request(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
        const text = await answer.body.text();
        if (answer.statusCode >= 300) throw new Error(`A wrong answer: ${answer.statusCode} ${text}`);
        return (JSON.parse(text) as { data: { tunnel: { id: string }; token: string } }).data;
    };
    const make = async (user: SeededUser): Promise<Tunnel> => {
        const { tunnel, token } = await post('/api/tunnels', user, { name: 'bench' });
        await post(`/api/tunnels/${tunnel.id}/start`, user, {});
        return { id: tunnel.id, token, user };
    };
    const made: Tunnel[] = [];
    for (let at = 0; at < users.length; at += STARTED_AT_ONCE) {
        made.push(...(await Promise.all(users.slice(at, at + STARTED_AT_ONCE).map(make))));
    }
    return made;
}

const requestOf = ({ id, user }: Tunnel, path: string): LoadRequest => ({
    method: 'GET',
    path: `/api/tunnels/${id}/http${path}`,
    headers: { authorization: `Bearer ${user.token}` },
});

/** Gives the next tunnel each time, so that all have their share. */
function inTurn(tunnels: Tunnel[], path: string): () => LoadRequest {
    let turn = 0;
    return () => {
        const tunnel = tunnels[turn++ % tunnels.length];
        if (!tunnel) throw new RangeError('There are no tunnels');
        return requestOf(tunnel, path);
    };
}

async function measureSmall(
    { api, relay }: { api: Contestant; relay: Contestant },
    tunnels: Tunnel[],
): Promise<Record<string, Figures>> {
    const ways = {
        tunnel: { contestant: api, next: inTurn(tunnels, SMALL_PATH) },
        relay: { contestant: relay, next: (): LoadRequest => ({ method: 'GET', path: SMALL_PATH, headers: {} }) },
    };
    const slice = async ({ contestant, next }: (typeof ways)['tunnel'], milliseconds: number) => {
        const before = contestant.cpuSeconds();
        const { answered, perSecond, wrong } = await load(contestant.url, next, {
            connections: CONNECTIONS,
            milliseconds,
        });
        if (wrong !== null) throw new Error(`A wrong answer: ${wrong}`);
        const after = contestant.cpuSeconds();
        return { perSecond, cpuUs: before === null || after === null ? NaN : ((after - before) / answered) * 1e6 };
    };
    for (const way of Object.values(ways)) await slice(way, WARM_UP_MS);
    const rounds = [];
    for (let round = 0; round < ROUNDS; round++) {
        rounds.push({ relay: await slice(ways.relay, SLICE_MS), tunnel: await slice(ways.tunnel, SLICE_MS) });
    }
    return {
        'tunnel: requests of 1 KB / bare relay': {
            ...ratioFigures(rounds.map(({ tunnel, relay: beside }) => tunnel.perSecond / beside.perSecond)),
            tunnel: median(rounds.map(({ tunnel }) => tunnel.perSecond)),
            relay: median(rounds.map((round) => round.relay.perSecond)),
        },
        'tunnel: processor time of a request / bare relay': {
            ...ratioFigures(rounds.map(({ tunnel, relay: beside }) => tunnel.cpuUs / beside.cpuUs)),
            tunnelUs: median(rounds.map(({ tunnel }) => tunnel.cpuUs)),
            relayUs: median(rounds.map((round) => round.relay.cpuUs)),
        },
    };
}

async function measureBulk(
    { api, service, agents }: { api: Contestant; service: Contestant; agents: Contestant },
    tunnels: Tunnel[],
): Promise<Record<string, Figures>> {
    const next = inTurn(tunnels, BULK_PATH);
    const megabytesPerSecond = async (url: string, ask: () => LoadRequest): Promise<number> => {
        const began = performance.now();
        const lengths = await Promise.all(Array.from({ length: BULK_AT_ONCE }, () => lengthOf(url, ask())));
        if (lengths.some((length) => length !== BULK_BYTES)) throw new Error(`A wrong length: ${lengths.join()}`);
        return (BULK_AT_ONCE * BULK_BYTES) / 1e3 / (performance.now() - began);
    };
    const direct = () => megabytesPerSecond(service.url, () => ({ method: 'GET', path: BULK_PATH, headers: {} }));
    const through = () => megabytesPerSecond(api.url, next);
    await direct();
    await through();
    const rounds: { direct: number; through: number }[] = [];
    const takenBefore = [api, agents].map(({ cpuSeconds }) => cpuSeconds() ?? NaN);
    for (let round = 0; round < ROUNDS; round++) rounds.push({ direct: await direct(), through: await through() });
    const [gatewayUs = NaN, agentsUs = NaN] = [api, agents].map(
        ({ cpuSeconds }, n) =>
            (((cpuSeconds() ?? NaN) - (takenBefore[n] ?? NaN)) * 1e12) / (ROUNDS * BULK_AT_ONCE * BULK_BYTES),
    );
    return {
        'tunnel: bytes per second / plain HTTP': {
            ...ratioFigures(rounds.map((round) => round.through / round.direct)),
            tunnelMBps: median(rounds.map((round) => round.through)),
            plainMBps: median(rounds.map((round) => round.direct)),
            // Agents, service and load share a processor: which process is at its limit shows here, per megabyte.
            gatewayUs,
            agentsUs,
        },
    };
}

async function lengthOf(url: string, { method, path, headers }: LoadRequest): Promise<number> {
    const { body } = await request(`${url}${path}`, { method, headers });
    let length = 0;
    for await (const chunk of body as AsyncIterable<Uint8Array>) length += chunk.length;
    return length;
}

async function settledRss({ rssBytes }: Contestant): Promise<number> {
    await sleep(SETTLE_MS);
    const bytes = rssBytes();
    if (bytes === null) throw new Error('The system does not tell the memory of a process');
    return bytes;
}
