import Joi from 'joi';

import { eventTypes } from '../../src/events/catalogue.ts';

const eventTypeSchema = Joi.object({
    type: Joi.string().valid(...Object.keys(eventTypes)),
    description: Joi.string(),
    example: Joi.object().unknown().description('the data of such an event').label('EventData'),
}).label('EventType');

export const typesAnswer = Joi.object({ types: Joi.array().items(eventTypeSchema).label('EventTypes') }).label(
    'EventTypesData',
);

const [type, entry] = Object.entries(eventTypes).find(([name]) => name === 'thread.created') ?? [];

export const typesExample = { types: [{ type, ...entry }] };
