import { parseArgs } from 'node:util';

import { withFeatures } from './operator.ts';
import { loadConfig } from '../src/config.ts';
import { isApiError } from '../src/http/errors.ts';

import type { Server } from '@hapi/hapi';
import type { OperatorRestore } from '../plugins/backups/api.ts';
import type { Component } from '../src/redis/aggregate.ts';

const USAGE =
    'Usage: npm run restore -- --tenant <id> --backup <id> [--components database,config,deployment] [--with-plan] --yes';
const COMPONENTS: Component[] = ['database', 'config', 'deployment'];

interface Order extends OperatorRestore {
    tenantId: string;
}

/** @throws {Error} With the usage, or what is missing */
function parse(): Order {
    const { values } = parseArgs({
        options: {
            tenant: { type: 'string' },
            backup: { type: 'string' },
            components: { type: 'string' },
            'with-plan': { type: 'boolean' },
            yes: { type: 'boolean' },
        },
    });
    const { tenant: tenantId, backup: backupId, 'with-plan': withPlan = false } = values;
    if (tenantId === undefined || backupId === undefined) throw new Error(USAGE);
    const components = componentsOf(values.components);
    if (values.yes !== true) {
        throw new Error(`What ${tenantId} has is replaced by what ${backupId} has. Say --yes to do that`);
    }
    return { tenantId, backupId, withPlan, ...(components && { components }) };
}

function componentsOf(list: string | undefined): Component[] | undefined {
    if (list === undefined) return undefined;
    const names = list.split(',');
    const known = COMPONENTS.filter((component) => names.includes(component));
    if (known.length !== names.length) throw new Error(USAGE);
    return known;
}

async function run({ plugins: { backups } }: Server, { tenantId, ...order }: Order): Promise<number> {
    process.stdout.write(`Restoring ${order.backupId} of ${tenantId}: requests of the tenant are refused meanwhile.\n`);
    try {
        const { state, safetyBackupId, error } = await backups.operator.restore(tenantId, order);
        const safety = safetyBackupId === null ? '' : ` What was there before is in ${safetyBackupId}.`;
        if (state === 'completed') process.stdout.write(`Restored.${safety}\n`);
        else process.stderr.write(`Not restored: ${error ?? state}. Nothing was changed.${safety}\n`);
        return state === 'completed' ? 0 : 1;
    } catch (error) {
        if (!isApiError(error)) throw error;
        process.stderr.write(`Not restored: ${error.data?.code}. Nothing was changed.\n`);
        return 1;
    }
}

try {
    const order = parse();
    process.exitCode = await withFeatures(loadConfig(process.env), (server) => run(server, order));
} catch (error) {
    process.stderr.write(`The restore failed: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
}
