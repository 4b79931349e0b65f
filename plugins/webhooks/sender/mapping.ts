import Joi from 'joi';

import { isEventPath, isPath, readPath } from './paths.ts';

import type { FieldMapping } from './types.ts';
import type { TenantEvent } from '../../events/api.ts';

const MAX_FIELDS = 50;
/** Of the mapped values together, in characters of JSON: a field may be named many times. */
const MAX_SIZE = 262_144;

/** The values that a mapping takes from an event, by their paths in the body; what the event has not is left out. */
export function mappedValues(mapping: FieldMapping, event: TenantEvent): [path: string, value: unknown][] {
    let size = 0;
    return Object.entries(mapping)
        .map(([path, from]): [string, unknown] => [path, readPath(event, from)])
        .filter(([, value]) => {
            if (value === undefined) return false;
            size += JSON.stringify(value).length;
            return size <= MAX_SIZE;
        });
}

type Tree = Map<string, unknown>;

/** The body that mapped values make. */
export function mappedBody(values: [path: string, value: unknown][]): object {
    const root: Tree = new Map();
    for (const [path, value] of values) {
        if (!isPath(path)) continue;
        const names = path.split('.');
        const last = names.pop() ?? '';
        let tree: Tree | null = root;
        for (const name of names) tree = tree && branch(tree, name);
        tree?.set(last, value);
    }
    return toObject(root);
}

/** Null where a value stands already, because what is in the event is not ours to change. */
function branch(tree: Tree, name: string): Tree | null {
    const there = tree.get(name);
    if (there !== undefined) return there instanceof Map ? there : null;
    const made: Tree = new Map();
    tree.set(name, made);
    return made;
}

const toObject = (tree: Tree): object =>
    Object.fromEntries([...tree].map(([name, value]) => [name, value instanceof Map ? toObject(value) : value]));

const isWithinAnother = (paths: string[]): boolean =>
    paths.some((path) => paths.some((other) => path.startsWith(`${other}.`)));

/** A field mapping, in what users send and are answered: output path → path in the event. */
export const mappingSchema = Joi.object<FieldMapping>()
    .pattern(Joi.string(), Joi.string())
    .min(1)
    .max(MAX_FIELDS)
    .custom((mapping: FieldMapping, helpers) => {
        const paths = Object.keys(mapping);
        if (!paths.every((path) => isPath(path))) return helpers.error('mapping.output');
        if (!Object.values(mapping).every((path) => isEventPath(path))) return helpers.error('mapping.input');
        return isWithinAnother(paths) ? helpers.error('mapping.within') : mapping;
    })
    .messages({
        'mapping.output': 'has a field that is not a path, as thread.id, of up to 8 names',
        'mapping.input': 'takes a value from what is not a path in the event, as data.threadId, of up to 8 names',
        'mapping.within': 'has a field within another of its fields',
    })
    .description('the body’s fields by path, each with the path in the event that its value is taken from')
    .example({ event: 'type', 'thread.id': 'data.threadId' })
    .label('WebhookMapping');
