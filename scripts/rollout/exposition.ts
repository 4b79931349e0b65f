/** What a pod has counted since it started. */
export interface Counts {
    requests: number;
    /** Of them, answers with 5xx. */
    errors: number;
    /** How many of the quick requests took up to so many seconds, by the bound. */
    buckets: Map<number, number>;
}

const SAMPLE = /^(http_requests_total|http_request_duration_seconds_bucket)\{(.*)\} (\S+)$/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/** Asked by the cluster and by monitoring, whatever clients do. */
const PROBES = /^\/(?:health|metrics)/;
/** They take as long as a model or a receiver takes, as the rules of the alerts have it. */
const LONG = /^(?:other|\/v1\/chat\/completions|.*\/messages.*|.*\/summarize|.*\/http.*|.*\/download|.*\/stream)$/;

/** Reads what clients have asked out of the metrics of a pod. */
export function readCounts(text: string): Counts {
    const counts: Counts = { requests: 0, errors: 0, buckets: new Map() };
    for (const { name, route, status, bound, value } of samplesIn(text)) {
        if (PROBES.test(route)) continue;
        if (name === 'http_requests_total') {
            counts.requests += value;
            if (status.startsWith('5')) counts.errors += value;
        } else if (!LONG.test(route)) counts.buckets.set(bound, (counts.buckets.get(bound) ?? 0) + value);
    }
    return counts;
}

function* samplesIn(text: string) {
    for (const line of text.split('\n')) {
        const [, name, labelled = '', value] = SAMPLE.exec(line) ?? [];
        if (name === undefined) continue;
        const labels = new Map([...labelled.matchAll(LABEL)].map(([, key = '', of = '']) => [key, of]));
        const [route = '', status = '', le = ''] = ['route', 'status', 'le'].map((label) => labels.get(label));
        yield { name, route, status, bound: le === '+Inf' ? Infinity : Number(le), value: Number(value) };
    }
}

/** The version that a pod says it is. */
export const versionIn = (text: string): string | undefined => /^app_info\{[^}]*version="([^"]*)"/m.exec(text)?.[1];
