import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

import { SeriesHistogram, type Distribution } from './series-histogram.ts';

/** Upper bounds in seconds, for what is measured. */
export const BUCKETS = {
    request: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    store: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.5],
    firstToken: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    work: [0.01, 0.05, 0.25, 1, 5, 15, 60, 300, 1_800],
};

/** The instrument of a set of label values: made once, so that it costs one look-up to have it. */
export type Labelled<Instrument> = (...values: string[]) => Instrument;

export interface Count {
    inc: (by?: number) => void;
}

/** How many of something there are just now. */
export interface Level {
    up: () => void;
    down: () => void;
}

/** Says a value of a gauge, for the values of its labels. */
export type SetGauge = (value: number, ...labels: string[]) => void;

/** What is asked of others to read a gauge may take so long. */
const READ_WITHIN_MS = 2_000;

/** The metrics of one process, in Prometheus' form. Whoever names labels sees to it that their values are few. */
export class Metrics {
    readonly #registry = new Registry();

    /** Of `text`. */
    get contentType(): string {
        return this.#registry.contentType;
    }

    counter(name: string, help: string, labelNames: string[] = []): Labelled<Count> {
        const counts: { values: string[]; count: number }[] = [];
        // The library would look the labels up each time: it is told when somebody reads.
        const counter: Counter = new Counter({
            name,
            help,
            labelNames,
            registers: [this.#registry],
            collect() {
                counter.reset();
                for (const { values, count } of counts) counter.labels(...values).inc(count);
            },
        });
        return bound((values) => {
            const series = { values, count: 0 };
            counts.push(series);
            return { inc: (by = 1) => void (series.count += by) };
        });
    }

    histogram(name: string, help: string, buckets: number[], labelNames: string[] = []): Labelled<Distribution> {
        const histogram = new SeriesHistogram({ name, help, buckets, labelNames, registers: [this.#registry] });
        const series = bound((values) => histogram.series(values));
        // One without labels is there before anything is observed.
        if (labelNames.length === 0) series();
        return series;
    }

    /** @param read Says all values, whenever somebody wants to know */
    gauge(name: string, help: string, read: (set: SetGauge) => void | Promise<void>, labelNames: string[] = []): void {
        const gauge: Gauge = new Gauge({
            name,
            help,
            labelNames,
            registers: [this.#registry],
            async collect() {
                gauge.reset();
                // Without labels that leaves a 0, which nobody has said.
                if (labelNames.length === 0) gauge.remove();
                await tolerantly(read((value, ...labels) => gauge.labels(...labels).set(value)));
            },
        });
    }

    /** A gauge that is counted up and down. */
    level(name: string, help: string): Level {
        let level = 0;
        this.gauge(name, help, (set) => set(level));
        return { up: () => void level++, down: () => void level-- };
    }

    /** What a gauge says now, all its labels together; 0 where there is none of that name. */
    async sum(name: string): Promise<number> {
        const found = await this.#registry.getSingleMetric(name)?.get();
        return found?.values.reduce((sum, { value }) => sum + value, 0) ?? 0;
    }

    /** Also what the process takes: processor, memory, event loop, garbage collection. For one that lasts. */
    measureProcess(): void {
        collectDefaultMetrics({ register: this.#registry });
    }

    text(): Promise<string> {
        return this.#registry.metrics();
    }
}

function bound<Instrument>(make: (values: string[]) => Instrument): Labelled<Instrument> {
    const known = new Map<string, Instrument>();
    return (...values) => {
        const [only = ''] = values;
        const key = values.length < 2 ? only : values.join('\n');
        const instrument = known.get(key) ?? make(values);
        known.set(key, instrument);
        return instrument;
    };
}

/** What cannot be read now, as with Redis away, is left out: the other metrics are wanted most just then. */
async function tolerantly(reading: void | Promise<void>): Promise<void> {
    if (!reading) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, READ_WITHIN_MS).unref();
    });
    await Promise.race([reading.catch(() => undefined), late]);
    clearTimeout(timer);
}
