import type { ModelProvider, ProviderName, ProviderStatus } from './api.ts';
import type { Clock } from '../../src/clock.ts';

const FRESH_MS = 15_000;
/** Health is asked by probes, which do not wait long. */
const TIMEOUT_MS = 2_000;

type Statuses = Partial<Record<ProviderName, ProviderStatus>>;

/** Asks every provider how it is, at most every 15 s however many ask us. */
export function statusCache(providers: Partial<Record<ProviderName, ModelProvider>>, clock: Clock) {
    let askedAt = -Infinity;
    let answer: Promise<Statuses> = Promise.resolve({});
    return (): Promise<Statuses> => {
        if (clock() - askedAt > FRESH_MS) {
            askedAt = clock();
            answer = ask(providers);
        }
        return answer;
    };
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
