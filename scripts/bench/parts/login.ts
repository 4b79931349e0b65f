import { Client } from 'undici';

import { median, ratioFigures } from '../figures.ts';

import type { Part } from '../scene.ts';

const ROUNDS = 7;
const TURNS = 3;
const WARM_UP = 3;
/** Two known accounts, whose difference is the noise, and one that does not exist. */
const KINDS = ['known', 'unknown', 'again'] as const;
type Kind = (typeof KINDS)[number];

interface Refusal {
    error?: { code?: string };
}

/**
 * The time of a login with a wrong password: of accounts that do not exist beside accounts that do, and, for the noise
 * of the same rounds, of accounts that do beside others that do. The order of a turn changes with each. Every account
 * and every address is used once, so that no limit is met; each answer must be INVALID_CREDENTIALS.
 */
export const measureLogin: Part = async ({ api: { url }, users }) => {
    const client = new Client(url);
    let tried = 0;
    const emailOf = (kind: Kind): string => {
        const user = users[tried];
        if (!user) throw new RangeError('There are too few users to try each once');
        return kind === 'unknown' ? user.email.replace('user', 'none') : user.email;
    };
    const timeOf = async (kind: Kind): Promise<number> => {
        const body = JSON.stringify({ email: emailOf(kind), password: 'not the password' });
        tried++;
        const headers = { 'content-type': 'application/json', 'x-forwarded-for': `10.1.${tried >> 8}.${tried & 255}` };
        const began = performance.now();
        const answer = await client.request({ method: 'POST', path: '/api/login', headers, body });
        const text = await answer.body.text();
        const took = performance.now() - began;
        const { error } = JSON.parse(text) as Refusal;
        if (answer.statusCode !== 401 || error?.code !== 'INVALID_CREDENTIALS') {
            throw new Error(`A wrong answer: ${answer.statusCode} ${text}`);
        }
        return took;
    };
    const measureRound = async (): Promise<Record<Kind, number>> => {
        const times: Record<Kind, number[]> = { known: [], unknown: [], again: [] };
        for (let turn = 0; turn < TURNS * KINDS.length; turn++) {
            const kind = KINDS[(turn + Math.floor(turn / KINDS.length)) % KINDS.length] ?? 'known';
            times[kind].push(await timeOf(kind));
        }
        return { known: median(times.known), unknown: median(times.unknown), again: median(times.again) };
    };

    for (let turn = 0; turn < WARM_UP; turn++) for (const kind of KINDS) await timeOf(kind);
    const rounds: Record<Kind, number>[] = [];
    for (let round = 0; round < ROUNDS; round++) rounds.push(await measureRound());
    await client.close();

    const knownMs = median(rounds.map(({ known }) => known));
    return {
        'login: unknown / known': {
            ...ratioFigures(rounds.map(({ known, unknown }) => unknown / known)),
            ms: median(rounds.map(({ unknown }) => unknown)),
            knownMs,
        },
        'login: known / known': {
            ...ratioFigures(rounds.map(({ known, again }) => again / known)),
            ms: median(rounds.map(({ again }) => again)),
            knownMs,
        },
    };
};
