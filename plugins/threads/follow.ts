import { followersOf, type AnswerPlace, type AnswerStore } from './answer-store.ts';
import { toEvent } from './event-log.ts';
import { withPatience } from './patience.ts';
import { Bell } from '../../src/redis/bell.ts';

import type { Clock } from '../../src/clock.ts';
import type { ServerSentEvent } from '../../src/http/sse.ts';
import type { Signals } from '../../src/redis/signals.ts';
import type { Logger } from '../../src/telemetry/logger.ts';

/** A signal may be lost: then what is new is found that much later. */
const LOOK_EVERY_MS = 1_000;

export interface FollowParts {
    store: AnswerStore;
    signals: Signals;
    clock: Clock;
    logger: Logger;
}

/** The events of an answer that any replica writes: those after the first `from`, then what comes, until it ends. */
export async function* followAnswer(
    parts: FollowParts,
    place: AnswerPlace,
    from = 0,
): AsyncGenerator<ServerSentEvent[]> {
    const { store, signals } = parts;
    const bell = new Bell();
    const stopListening = await signals.listen(followersOf(place), () => bell.ring());
    const patience = { ...parts, hurry: new AbortController().signal };
    try {
        for (let next = from; ;) {
            const heard = bell.next(LOOK_EVERY_MS);
            const answer = await withPatience(() => store.read(place, next), patience);
            if (!answer) return;
            const { events, isEnded } = answer;
            const first = next;
            next += events.length;
            if (events.length > 0) yield events.map((event, at) => toEvent(place.messageId, first + at, event));
            if (isEnded) return;
            await heard;
        }
    } finally {
        stopListening();
    }
}
