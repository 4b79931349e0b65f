import { eventTypes } from './catalogue.ts';

/** Whether a pattern is for events of a type: `thread.created`, `thread.*`, or `*` for all. */
export const fitsPattern = (pattern: string, type: string): boolean =>
    pattern === '*' || pattern === type || (pattern.endsWith('.*') && type.startsWith(pattern.slice(0, -1)));

/** Whether it is a pattern of that form, and there are events that it is for. */
export const isEventPattern = (text: string): boolean =>
    /^(?:\*|[a-z_]+\.(?:\*|[a-z_]+))$/.test(text) && Object.keys(eventTypes).some((type) => fitsPattern(text, type));
