import { accountTypes } from './account-types.ts';
import { keepingTypes } from './keeping-types.ts';
import { workTypes } from './work-types.ts';

import type { EventTypeEntry } from './entry.ts';

const entries = { ...accountTypes, ...workTypes, ...keepingTypes };

/** `<resource>.<what happened>` */
export type EventType = keyof typeof entries;

/** Every type of event, in words and with an example of its data. Served at `GET /api/events/types`. */
export const eventTypes: Readonly<Record<EventType, EventTypeEntry>> = entries;

/** Whether there are events of that type. */
export const isEventType = (text: string): text is EventType => Object.hasOwn(eventTypes, text);
