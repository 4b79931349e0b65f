import { apiError } from '../../src/http/errors.ts';

import type { Lifecycle } from '@hapi/hapi';
import type { Config } from '../../src/config.ts';
import type { Load } from '../../src/telemetry/load.ts';

const SAMPLE_EVERY_MS = 1_000;
const RETRY_AFTER_SECONDS = 1;
/** A busy process is alive, and who watches it must be able to see that. */
const EXEMPT = /^\/(health(\/|$)|metrics$)/;
/** How many times its mark the load may be before a request is refused: what costs little goes on the longest. */
const MOST = { expensive: 1, cheap: 2 };

type Marks = Pick<Config, 'MAX_EVENT_LOOP_DELAY_MS' | 'MAX_RSS_MB'>;

/** Whether the process has more to do than it can; looked at once a second, so that a request costs nothing. */
export class Overload {
    /** How many times its mark the delay or the memory is, whichever is more. */
    #load = 0;
    readonly #timer: NodeJS.Timeout;

    constructor(measure: () => Load, { MAX_EVENT_LOOP_DELAY_MS, MAX_RSS_MB }: Marks) {
        const look = () => {
            const { delayMs, rssMb } = measure();
            this.#load = Math.max(delayMs / MAX_EVENT_LOOP_DELAY_MS, rssMb / MAX_RSS_MB);
        };
        look();
        this.#timer = setInterval(look, SAMPLE_EVERY_MS).unref();
    }

    /** Refuses requests while it is so, those of expensive routes first. @throws SERVER_BUSY */
    readonly refuse: Lifecycle.Method = ({ path, route }, h) => {
        const most = route.settings.app?.isExpensive ? MOST.expensive : MOST.cheap;
        if (this.#load > most && !EXEMPT.test(path)) throw apiError('SERVER_BUSY', { retryAfter: RETRY_AFTER_SECONDS });
        return h.continue;
    };

    stop(): void {
        clearInterval(this.#timer);
    }
}
