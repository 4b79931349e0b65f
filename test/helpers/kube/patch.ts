/** An object as JSON has it. */
// oxlint-disable-next-line typescript/no-explicit-any -- a test knows its objects
export type Json = Record<string, any>;

const isObject = (value: unknown): value is Json =>
    typeof value === 'object' && value !== null && !Array.isArray(value);

/** Of a pod, these are merged by the names of their items. */
const NAMED = ['containers', 'initContainers'];

/**
 * What becomes of an object by a merge patch (RFC 7396), or by a strategic one: there the containers of a pod are
 * merged by their names, and directives for their order are of no meaning.
 */
export function patched(target: Json, patch: Json, isStrategic: boolean): Json {
    const result: Json = { ...target };
    for (const [name, value] of Object.entries(patch)) {
        if (name.startsWith('$')) continue;
        if (value === null) delete result[name];
        else if (isObject(value))
            result[name] = patched(isObject(result[name]) ? result[name] : {}, value, isStrategic);
        else if (isStrategic && NAMED.includes(name)) result[name] = mergedByName(result[name] ?? [], value);
        else result[name] = value;
    }
    return result;
}

/** What has a name that is not there is added. */
const mergedByName = (items: Json[], patches: Json[]): Json[] => [
    ...items.map((item) => patched(item, patches.find(({ name }) => name === item.name) ?? {}, true)),
    ...patches.filter(({ name }) => !items.some((item) => item.name === name)),
];
