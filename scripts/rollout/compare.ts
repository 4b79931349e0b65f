import type { Figures } from './traffic.ts';

export interface Thresholds {
    /** Fewer requests of either version say nothing. */
    minRequests: number;
    /** So many percent points more of the answers may be 5xx. */
    maxErrors: number;
    /** So many percent longer may 95 of 100 requests take. */
    maxSlowdown: number;
}

export interface Verdict {
    outcome: 'fine' | 'worse' | 'quiet';
    words: string;
}

/** Nobody notices less, in seconds: where requests take a millisecond, two are no reason to go back. */
const UNNOTICED = 0.05;

/** How the new version does, next to the old one. */
export function compare(fresh: Figures, old: Figures, thresholds: Thresholds): Verdict {
    const figures = `new: ${shown(fresh)}; old: ${shown(old)}`;
    const { minRequests, maxErrors, maxSlowdown } = thresholds;
    if (fresh.requests < minRequests || old.requests < minRequests) {
        return { outcome: 'quiet', words: `fewer than ${minRequests} requests are too few to judge by (${figures})` };
    }
    if (errorPercent(fresh) > errorPercent(old) + maxErrors) {
        return { outcome: 'worse', words: `more requests fail (${figures})` };
    }
    const [now, before] = [fresh.p95 ?? 0, old.p95 ?? 0];
    if (old.p95 !== null && now > before * (1 + maxSlowdown / 100) && now > before + UNNOTICED) {
        return { outcome: 'worse', words: `requests take longer (${figures})` };
    }
    return { outcome: 'fine', words: figures };
}

const errorPercent = ({ requests, errors }: Figures): number => (requests === 0 ? 0 : (100 * errors) / requests);

function shown(figures: Figures): string {
    const { requests, p95 } = figures;
    const latency = p95 === null ? '' : `, p95 ${Math.round(p95 * 1000)} ms`;
    return `${requests} requests, ${errorPercent(figures).toFixed(2)} % failed${latency}`;
}
