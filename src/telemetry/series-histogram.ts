import { Histogram, type HistogramConfiguration } from 'prom-client';

/** What values of something were. */
export interface Distribution {
    observe: (value: number) => void;
}

interface Series {
    labels: Record<string, string>;
    /** By bucket, the last for what is above all bounds. */
    counts: number[];
    sum: number;
}

interface SeriesValue {
    metricName: string;
    labels: Record<string, string | number>;
    value: number;
}

/**
 * A histogram that counts in arrays of its own, and puts its values together when it is read: the library's looks its
 * labels up and checks them at each observation, which several times a request is too dear.
 */
export class SeriesHistogram extends Histogram {
    readonly #name: string;
    readonly #help: string;
    readonly #labelNames: readonly string[];
    readonly #bounds: number[];
    readonly #series: Series[] = [];

    constructor(options: HistogramConfiguration<string> & { buckets: number[] }) {
        super(options);
        const { name, help, labelNames = [], buckets } = options;
        this.#name = name;
        this.#help = help;
        this.#labelNames = labelNames;
        this.#bounds = buckets;
    }

    /** The distribution of a set of label values; made once for each. */
    series(values: string[]): Distribution {
        const bounds = this.#bounds;
        const labels = Object.fromEntries(this.#labelNames.map((name, n) => [name, values[n] ?? '']));
        const series: Series = { labels, counts: [...bounds, Infinity].map(() => 0), sum: 0 };
        this.#series.push(series);
        return {
            observe: (value) => {
                let bucket = 0;
                while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket++;
                series.counts[bucket] = (series.counts[bucket] ?? 0) + 1;
                series.sum += value;
            },
        };
    }

    /** What the library reads a histogram by, for `get` as for the text. */
    getForPromString(): Promise<object> {
        const values = this.#series.flatMap((series) => this.#values(series));
        return Promise.resolve({ name: this.#name, help: this.#help, type: 'histogram', aggregator: 'sum', values });
    }

    #values({ labels, counts, sum }: Series): SeriesValue[] {
        let total = 0;
        const buckets = [...this.#bounds, '+Inf'].map((le, n) => {
            total += counts[n] ?? 0;
            return { metricName: `${this.#name}_bucket`, labels: { ...labels, le }, value: total };
        });
        return [
            ...buckets,
            { metricName: `${this.#name}_sum`, labels, value: sum },
            { metricName: `${this.#name}_count`, labels, value: total },
        ];
    }
}
