import { parseArgs } from 'node:util';

import { withFeatures } from './operator.ts';
import { loadConfig } from '../src/config.ts';
import { isApiError } from '../src/http/errors.ts';

import type { Server } from '@hapi/hapi';
import type { BackupType } from '../plugins/backups/api.ts';

const USAGE = 'Usage: npm run backup -- (--tenant <id> | --all) [--type full|database|config]';
const TYPES: BackupType[] = ['full', 'database', 'config'];
const PAGE = 100;

interface Order {
    /** Null: of all tenants. */
    tenantId: string | null;
    type: BackupType;
}

/** @throws {Error} With the usage */
function parse(): Order {
    const options = { tenant: { type: 'string' }, all: { type: 'boolean' }, type: { type: 'string' } } as const;
    const { tenant, all = false, type: name = 'full' } = parseArgs({ options }).values;
    const type = TYPES.find((known) => known === name);
    if (!type || (tenant !== undefined) === all) throw new Error(USAGE);
    return { tenantId: tenant ?? null, type };
}

async function* tenantsOf({ plugins: { tenants } }: Server): AsyncGenerator<string> {
    for (let cursor: string | null | undefined; cursor !== null;) {
        const page = await tenants.list({ direction: 'asc', limit: PAGE, cursor });
        for (const { id, status } of page.items) if (status !== 'deleted') yield id;
        ({ cursor } = page.pagination);
    }
}

/** Whether it was made. */
async function backUp({ plugins: { backups } }: Server, tenantId: string, type: BackupType): Promise<boolean> {
    try {
        const { id, state, bytes, error } = await backups.operator.backup(tenantId, type);
        const isMade = state === 'completed';
        const end = isMade ? `${bytes} bytes` : `failed: ${error}`;
        (isMade ? process.stdout : process.stderr).write(`${tenantId} ${id} ${end}\n`);
        return isMade;
    } catch (error) {
        if (!isApiError(error)) throw error;
        process.stderr.write(`${tenantId} not backed up: ${error.data?.code}\n`);
        return false;
    }
}

async function run(server: Server, { tenantId, type }: Order): Promise<number> {
    if (tenantId !== null) {
        if (await server.plugins.tenants.exists(tenantId)) return (await backUp(server, tenantId, type)) ? 0 : 1;
        throw new Error(`There is no tenant ${tenantId}`);
    }
    let failed = 0;
    let made = 0;
    for await (const id of tenantsOf(server)) {
        if (await backUp(server, id, type)) made++;
        else failed++;
    }
    process.stdout.write(`${made} tenants were backed up, ${failed} were not.\n`);
    return failed === 0 ? 0 : 1;
}

try {
    const order = parse();
    process.exitCode = await withFeatures(loadConfig(process.env), (server) => run(server, order));
} catch (error) {
    process.stderr.write(`The backup failed: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
}
