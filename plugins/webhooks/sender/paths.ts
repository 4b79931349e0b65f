import Joi from 'joi';

const MAX_DEPTH = 8;
const MAX_LENGTH = 200;
const SEGMENT = /^[A-Za-z0-9_-]{1,64}$/;
/** What objects have besides their own fields: never read, never written. */
const INHERITED = new Set(['__proto__', 'constructor', 'prototype']);

/** A path as `data.threadId`, of up to 8 names. */
export function isPath(path: string): boolean {
    const names = path.split('.');
    return (
        path.length <= MAX_LENGTH &&
        names.length <= MAX_DEPTH &&
        names.every((name) => SEGMENT.test(name) && !INHERITED.has(name))
    );
}

/** The value at a path, through objects' and lists' own fields only; undefined where there is none. */
export function readPath(from: unknown, path: string): unknown {
    if (!isPath(path)) return undefined;
    let value = from;
    for (const name of path.split('.')) {
        if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
        value = (value as Record<string, unknown>)[name];
    }
    return value;
}

const EVENT_FIELDS = new Set(['id', 'type', 'timestamp', 'data']);

/** Whether a path begins at a field of an event. */
export const isEventPath = (path: string): boolean => isPath(path) && EVENT_FIELDS.has(path.split('.')[0] ?? '');

/** A path of an event, in what users send. */
export const eventPathSchema = () =>
    Joi.string()
        .max(MAX_LENGTH)
        .custom((path: string, helpers) => (isEventPath(path) ? path : helpers.error('string.path')))
        .messages({ 'string.path': 'has to be a path in the event, as data.threadId, of up to 8 names' })
        .description('a path in the event: id, type, timestamp or data.…')
        .example('data.threadId');
