import { isApiError } from '../../src/http/errors.ts';
import { BUCKETS, type Count, type Labelled, type Metrics } from '../../src/telemetry/metrics.ts';

import type { Model, StreamPart, Usage } from './api.ts';
import type { Distribution } from '../../src/telemetry/series-histogram.ts';

/** Models of users' own servers, whose names are theirs, stand under one name. */
const OTHER = 'other';
const PER_MODEL = ['provider', 'model'];

/** Measures calls of models: one for each that was asked for an answer, however many tries that took. */
export class CallMeter {
    readonly #calls: Labelled<Count>;
    readonly #tokens: Labelled<Count>;
    readonly #firstToken: Labelled<Distribution>;
    readonly #duration: Labelled<Distribution>;
    readonly #known: ReadonlySet<string>;

    constructor(metrics: Metrics, catalogue: readonly Model[]) {
        this.#known = new Set(catalogue.map(({ id }) => id));
        const outcome = 'Calls of models: `success`, `cancelled`, or the code of the error';
        this.#calls = metrics.counter('model_calls_total', outcome, [...PER_MODEL, 'outcome']);
        const tokens = 'Tokens of calls; `reasoning` is a part of `output`';
        this.#tokens = metrics.counter('model_tokens_total', tokens, [...PER_MODEL, 'type']);
        const first = 'Time to the first word of an answer, with all tries';
        this.#firstToken = metrics.histogram('model_time_to_first_token_seconds', first, BUCKETS.firstToken, PER_MODEL);
        const whole = 'Time to the end of a call, well or badly';
        this.#duration = metrics.histogram('model_call_duration_seconds', whole, BUCKETS.work, PER_MODEL);
    }

    begin({ id, via, provider }: Model): MeasuredCall {
        const labels: [string, string] = [provider, via || !this.#known.has(id) ? OTHER : id];
        const began = performance.now();
        const seconds = () => (performance.now() - began) / 1000;
        return {
            answers: () => this.#firstToken(...labels).observe(seconds()),
            hears: (part) => {
                if (part.type === 'usage') this.#count(labels, part.usage);
            },
            ends: (outcome) => {
                this.#calls(...labels, outcome).inc();
                this.#duration(...labels).observe(seconds());
            },
        };
    }

    #count(labels: [string, string], { inputFresh, cacheRead, cacheWrite, output, reasoning }: Usage): void {
        const tokens = { input: inputFresh, cache_read: cacheRead, cache_write: cacheWrite, output, reasoning };
        for (const [type, count] of Object.entries(tokens)) if (count > 0) this.#tokens(...labels, type).inc(count);
    }
}

/** What is said of a call as it goes on. */
export interface MeasuredCall {
    answers: () => void;
    hears: (part: StreamPart) => void;
    ends: (outcome: string) => void;
}

/** What a call ended with that failed. */
export function failedWith(error: unknown, signal: AbortSignal): string {
    if (signal.aborted) return 'cancelled';
    return (isApiError(error) ? error.data?.code : undefined) ?? 'INTERNAL_ERROR';
}
