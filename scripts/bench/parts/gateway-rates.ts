import { Client } from 'undici';

import { median, ratioFigures, type Figures } from '../figures.ts';
import { load } from '../load.ts';
import { USAGE } from '../prompts.ts';
import { hear, timesOfTokens } from '../stream-load.ts';

import type { Gateway, Gateways } from './gateway-contestants.ts';

const CONNECTIONS = 48;
/** So many that Portkey's sleep before a stream's first token is not what limits it. */
const STREAMS = 32;
/** Of an answer that comes whole. */
const TOKENS = 20;

/** What was done in a slice: answers, or tokens of streams. */
interface Slice {
    count: number;
    seconds: number;
    /** Of the processor. */
    busySeconds: number;
}

type Work = (gateway: Gateway, milliseconds: number) => Promise<number>;

/** Requests for an answer that comes whole. */
const wholeAnswers: Work = async ({ process, requestOf }, milliseconds) => {
    const { answered, wrong } = await load(process.url, () => requestOf({ tokens: TOKENS, isStream: false }), {
        connections: CONNECTIONS,
        milliseconds,
        expects: `"total_tokens":${USAGE.total_tokens}`,
    });
    if (wrong !== null) throw new Error(`A wrong answer: ${wrong}`);
    return answered;
};

/** Several streams at once, one after the other in each connection; gives their tokens. */
const streamsOf =
    (tokens: number): Work =>
    async ({ process, requestOf, end }, milliseconds) => {
        const until = performance.now() + milliseconds;
        let count = 0;
        const connection = async (): Promise<void> => {
            const client = new Client(process.url, { bodyTimeout: 0 });
            while (performance.now() < until) {
                const stream = await hear(client, requestOf({ tokens, isStream: true }));
                if (!stream.isWhole) throw new Error('A stream broke off');
                count += timesOfTokens(stream, tokens, end).length;
            }
            await client.close();
        };
        await Promise.all(Array.from({ length: STREAMS }, connection));
        return count;
    };

type Name = keyof Gateways;

/** How long the slices are, which alternate, and how many there are of each. */
interface Plan {
    warmUpMs: Partial<Record<Name, number>>;
    rounds: number;
    sliceMs: number;
    /** What is compared with what. */
    pairs: [Name, Name][];
}

async function compare(gateways: Gateways, work: Work, { warmUpMs, rounds, sliceMs, pairs }: Plan) {
    const names = [...new Set(pairs.flat())];
    const slice = async (name: Name, milliseconds: number): Promise<Slice> => {
        const { process } = gateways[name];
        const [before, began] = [process.cpuSeconds() ?? NaN, performance.now()];
        const count = await work(gateways[name], milliseconds);
        const seconds = (performance.now() - began) / 1000;
        return { count, seconds, busySeconds: (process.cpuSeconds() ?? NaN) - before };
    };
    for (const name of names) await slice(name, warmUpMs[name] ?? sliceMs);
    const slices: Partial<Record<Name, Slice>>[] = [];
    for (let round = 0; round < rounds; round++) {
        const done: Partial<Record<Name, Slice>> = {};
        for (const name of names) done[name] = await slice(name, sliceMs);
        slices.push(done);
    }
    const each = (name: Name, value: (slice: Slice) => number): number[] =>
        slices.map(({ [name]: one }) => (one ? value(one) : NaN));
    return pairs.map(([name, beside]): [string, Figures] => {
        const [rates, ratesBeside] = [each(name, perSecond), each(beside, perSecond)];
        const [micros, microsBeside] = [each(name, microsOf), each(beside, microsOf)];
        return [
            `/${name} / ${beside}`,
            {
                ...ratioFigures(rates.map((rate, n) => rate / (ratesBeside[n] ?? NaN))),
                'µs ratio': median(micros.map((micro, n) => (microsBeside[n] ?? NaN) / micro)),
                perSecond: median(rates),
                beside: median(ratesBeside),
                µs: median(micros),
                'µs beside': median(microsBeside),
                busy: median(each(name, isBusy)),
                'busy beside': median(each(beside, isBusy)),
            },
        ];
    });
}

const perSecond = ({ count, seconds }: Slice): number => count / seconds;
const microsOf = ({ count, busySeconds }: Slice): number => (busySeconds / count) * 1e6;
/** The share of its processor that it took. Where that is well below 1, what limits it is the load. */
const isBusy = ({ seconds, busySeconds }: Slice): number => busySeconds / seconds;

const named = (what: string, rows: [string, Figures][]): Record<string, Figures> =>
    Object.fromEntries(rows.map(([pair, figures]) => [`${what}: ${pair.slice(1)}`, figures]));

/** Answers per second, and tokens of long and short streams, each with the processor's time that it takes. */
export async function measureRates(gateways: Gateways): Promise<Record<string, Figures>> {
    const answers = await compare(gateways, wholeAnswers, {
        warmUpMs: { v1: 2_500, paid: 1_500, relay: 500, portkey: 2_000 },
        rounds: 7,
        sliceMs: 300,
        pairs: [
            ['v1', 'portkey'],
            ['paid', 'portkey'],
            ['v1', 'relay'],
        ],
    });
    const pairs: Plan['pairs'] = [
        ['v1', 'portkey'],
        ['thread', 'portkey'],
        ['v1', 'relay'],
    ];
    const warmUpMs = { v1: 1_000, thread: 2_000, relay: 500, portkey: 1_000 };
    const long = await compare(gateways, streamsOf(500), { warmUpMs, rounds: 5, sliceMs: 500, pairs });
    const short = await compare(gateways, streamsOf(50), { warmUpMs: {}, rounds: 5, sliceMs: 400, pairs });
    return { ...named('answers', answers), ...named('500 tokens', long), ...named('50 tokens', short) };
}
