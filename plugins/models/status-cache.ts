import type { ModelProvider, ProviderName, ProviderStatus } from './api.ts';
import type { Clock } from '../../src/clock.ts';

const FRESH_MS = 15_000;
/** Health is asked by probes, which do not wait long. */
const TIMEOUT_MS = 2_000;

type Statuses = Partial<Record<ProviderName, ProviderStatus>>;

/** An answer that is asked for anew only when it is older than that, a failure too, however many ask us. */
export function cached<Answer>(ask: () => Promise<Answer>, freshMs: number, clock: Clock) {
    let askedAt = -Infinity;
    let answer: Promise<Answer> | undefined;
    return {
        read(): Promise<Answer> {
            if (answer && clock() - askedAt <= freshMs) return answer;
            askedAt = clock();
            answer = ask();
            return answer;
        },
        /** The next one who reads asks. */
        forget(): void {
            answer = undefined;
        },
    };
}

/** Asks every provider how it is, at most every 15 s however many ask us. */
export function statusCache(providers: Partial<Record<ProviderName, ModelProvider>>, clock: Clock) {
    const statuses = cached(() => ask(providers), FRESH_MS, clock);
    return (): Promise<Statuses> => statuses.read();
}

async function ask(providers: Partial<Record<ProviderName, ModelProvider>>): Promise<Statuses> {
    const asked = Object.entries(providers).map(async ([name, provider]) => {
        const status = await provider
            .status(AbortSignal.timeout(TIMEOUT_MS))
            .catch((): ProviderStatus => ({ status: 'unreachable' }));
        return [name, status] as const;
    });
    return Object.fromEntries(await Promise.all(asked));
}
