import Joi from 'joi';

import { eventTypes } from '../../src/events/catalogue.ts';
import { isEventPattern } from '../../src/events/patterns.ts';

const EVENT_ID = 'evt_01K9ZQ4V7N8M3T5R2W6X1Y0ABC';

const eventData = Joi.object().unknown().description('ids and states').label('EventData');

const eventTypeSchema = Joi.object({
    type: Joi.string().valid(...Object.keys(eventTypes)),
    description: Joi.string(),
    example: eventData,
}).label('EventType');

export const typesAnswer = Joi.object({ types: Joi.array().items(eventTypeSchema).label('EventTypes') }).label(
    'EventTypesData',
);

export const typesExample = { types: [{ type: 'thread.created', ...eventTypes['thread.created'] }] };

/** So many patterns may be asked for. */
const MOST_PATTERNS = 50;

export interface StreamQuery {
    types?: string[];
}

export const streamQuery = Joi.object<StreamQuery>({
    types: Joi.string()
        .max(2_000)
        .custom((value: string, helpers) => {
            const patterns = value.split(',');
            if (patterns.length > MOST_PATTERNS || !patterns.every(isEventPattern)) return helpers.error('any.invalid');
            return patterns;
        }, 'patterns of event types')
        .description('the types that are wanted, separated by commas: `thread.created`, `vm.*`, or `*` for all')
        .example('thread.*,vm.status_changed'),
}).label('EventStreamQuery');

export interface StreamHeaders {
    'last-event-id'?: string;
}

export const streamHeaders = Joi.object<StreamHeaders>({
    'last-event-id': Joi.string()
        .pattern(/^evt_[0-9A-HJKMNP-TV-Z]{26}$/, 'event id')
        .description('the `id` of the last event that the client has')
        .example(EVENT_ID),
})
    .unknown()
    .label('EventStreamHeaders');

export const eventAnswer = Joi.object({
    id: Joi.string(),
    type: Joi.string().valid(...Object.keys(eventTypes)),
    timestamp: Joi.string().isoDate(),
    data: eventData,
}).label('Event');

export const eventExample = {
    id: EVENT_ID,
    type: 'thread.created',
    timestamp: '2026-11-20T10:30:00.000Z',
    data: eventTypes['thread.created'].example,
};

export const streamEventsExample = [
    { id: EVENT_ID.replace(/C$/, 'B'), event: 'ready', data: {} },
    { id: EVENT_ID, event: 'thread.created', data: eventExample },
];
