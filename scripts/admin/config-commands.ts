import { checked } from './input.ts';
import { UsageError } from './usage.ts';
import { updateConfigPayload } from '../../plugins/operations/config-schemas.ts';
import { defaultTiers } from '../../plugins/tenants/api.ts';

import type { Commands } from './command.ts';

/** What is to be set by its name, as the API has it. */
interface Changes {
    registration?: string | null;
    maintenance?: { isOn?: boolean; message?: string | null };
    limits?: Record<string, Record<string, string | null>>;
}

const SWITCH = new Map([
    ['on', true],
    ['off', false],
]);
/** Names of objects' own parts, as `__proto__`, are none. */
const TIERS = new Set(Object.keys(defaultTiers));
const FIGURES = new Set(Object.keys(defaultTiers.free));

const orNull = (value: string, nothing: string): string | null => (value === nothing ? null : value);

/** The changes with `<name>=<value>` added. @throws UsageError */
function withSetting(changes: Changes, text: string): Changes {
    const [, name = '', value = ''] = /^([\w.]+)=(.*)$/s.exec(text) ?? [];
    const { maintenance } = changes;
    if (name === 'registration') return { ...changes, registration: orNull(value, 'default') };
    if (name === 'message') return { ...changes, maintenance: { ...maintenance, message: orNull(value, '') } };
    const isOn = SWITCH.get(value);
    if (name === 'maintenance' && isOn !== undefined) return { ...changes, maintenance: { ...maintenance, isOn } };
    const changed = withFigure(changes, name, value);
    if (!changed) throw new UsageError(`There is nothing to be set by ${text}`);
    return changed;
}

/** Null: there is no such figure. */
function withFigure(changes: Changes, name: string, value: string): Changes | null {
    const [, tier = '', figure = ''] = /^limits\.(\w+)\.(\w+)$/.exec(name) ?? [];
    if (!TIERS.has(tier) || !FIGURES.has(figure)) return null;
    const { limits = {} } = changes;
    return { ...changes, limits: { ...limits, [tier]: { ...limits[tier], [figure]: orNull(value, 'default') } } };
}

/** What is done with the configuration of the platform. */
export const configCommands: Commands = {
    'config get': {
        words: 0,
        options: [],
        prepare: () => async (server, actor) => ({ config: await server.plugins.operations.config.get(actor) }),
    },
    'config set': {
        words: 'some',
        options: [],
        prepare: ({ words }) => {
            const changes = checked(updateConfigPayload, words.reduce<Changes>(withSetting, {}));
            return async (server, actor) => ({
                config: await server.plugins.operations.config.change(actor, changes),
            });
        },
    },
};
