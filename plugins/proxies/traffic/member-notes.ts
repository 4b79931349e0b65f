import type { Logger } from '../../../src/telemetry/logger.ts';
import type { ProxyPlace, ProxyRecords } from '../api.ts';

const SUCCESS_EVERY_MS = 1_000;
const MOST_KNOWN = 10_000;

/**
 * Tells the records what requests saw of members; nobody waits for it. Of successes in a row one a second is enough;
 * failures count each.
 */
export class MemberNotes {
    readonly #records: Pick<ProxyRecords, 'note'>;
    readonly #logger: Logger;
    /** When a success was told last, unless a failure was since. */
    readonly #told = new Map<string, number>();

    constructor(records: Pick<ProxyRecords, 'note'>, logger: Logger) {
        this.#records = records;
        this.#logger = logger;
    }

    success(place: ProxyPlace, tunnelId: string, latencyMs: number): void {
        const key = `${place.proxyId}/${tunnelId}`;
        const now = Date.now();
        if (now - (this.#told.get(key) ?? 0) < SUCCESS_EVERY_MS) return;
        if (this.#told.size >= MOST_KNOWN) this.#told.clear();
        this.#told.set(key, now);
        this.#tell(place, tunnelId, { isSuccess: true, latencyMs });
    }

    failure(place: ProxyPlace, tunnelId: string, error: string): void {
        this.#told.delete(`${place.proxyId}/${tunnelId}`);
        this.#tell(place, tunnelId, { isSuccess: false, latencyMs: null, error });
    }

    #tell(...note: Parameters<ProxyRecords['note']>): void {
        this.#records.note(...note).catch((error: unknown) => {
            this.#logger.warn({ module: 'proxies', err: error }, 'What was seen of a member is not noted');
        });
    }
}
